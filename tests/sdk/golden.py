"""Takes the requests that record.py kept of one program into tests/golden/otlp: golden.py FOLDER NAME writes
NAME-SIGNAL.bin and NAME-SIGNAL.json (path and headers), numbered where a signal has several requests. It
refuses what would tell of the machine that it was recorded on."""

import getpass
import gzip
import json
import pathlib
import socket
import sys

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "otlp"
SIGNALS = ("traces", "logs", "metrics")


def telltales():
    names = [socket.gethostname(), str(pathlib.Path(__file__).parent.resolve()), str(pathlib.Path.home()), "process.pid",
             "host.name", "/home/"]
    user = getpass.getuser()
    # A name as short as "root" is part of other words, so it counts as an attribute's value only.
    return [name.encode() for name in names if len(name) > 3] + [f'"{user}"'.encode()]


def main(folder, name):
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for old in GOLDEN.glob(f"{name}-*"):
        old.unlink()
    seen = {}
    indexes = sorted(pathlib.Path(folder).glob("*.json"))
    abouts = [json.loads(index.read_text()) for index in indexes]
    signals = [next(signal for signal in SIGNALS if signal.rstrip("s") in about["path"].lower()) for about in abouts]
    for index, about, signal in zip(indexes, abouts, signals):
        body = index.with_suffix(".bin").read_bytes()
        plain = gzip.decompress(body) if about["headers"].get("content-encoding") == "gzip" else body
        told = [each for each in telltales() if each in plain or each in json.dumps(about).encode()]
        if told:
            raise SystemExit(f"failed: {name}: {signal} tells of this machine: {told}")
        seen[signal] = seen.get(signal, 0) + 1
        number = f"-{seen[signal]}" if signals.count(signal) > 1 else ""
        GOLDEN.joinpath(f"{name}-{signal}{number}.bin").write_bytes(body)
        GOLDEN.joinpath(f"{name}-{signal}{number}.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
