"""Makes an image for containers out of files of this machine, FROM scratch and without a daemon: one layer, as an OCI
archive that `ctr images import` takes. The same files make the same image.

    image.py NAME:TAG ARCHIVE [--user UID:GID] [--env NAME=VALUE] [--entrypoint WORD]… [--command WORD]… [--link NAME=TARGET]
             SOURCE=/DESTINATION…

A source is a file or a folder. What is a dynamically linked program or library brings along what `ldd` says that it
needs, at the paths where that is here; whatever a program opens by name while it runs has to be named as a source.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile

# Of every file and of the image itself, so that the same input makes the same digest.
TIME = 0
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference")
    parser.add_argument("archive")
    parser.add_argument("--user", default="")
    for name in ("env", "entrypoint", "command", "link"):
        parser.add_argument(f"--{name}", action="append", default=[])
    parser.add_argument("files", nargs="+")
    return parser.parse_intermixed_args()


def libraries(path):
    """What a file is linked with, as paths; nothing if it is static, or no program at all."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return []
    told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    words = (line.split("=>")[-1].split() for line in told.splitlines())
    return [word[0] for word in words if word and word[0].startswith("/")]


class Layer:
    """A layer in the making. Each path is added once: the first one counts."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.PAX_FORMAT)
        self.seen = set()

    def add(self, path, kind, mode, data=b"", target=""):
        name = path.strip("/")
        if not name or name in self.seen:
            return False
        self.add(os.path.dirname(name), tarfile.DIRTYPE, 0o755)
        self.seen.add(name)
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.mtime, entry.size, entry.linkname = kind, mode, TIME, len(data), target
        self.tar.addfile(entry, io.BytesIO(data))
        return True

    def add_file(self, source, destination):
        with open(source, "rb") as file:
            data = file.read()
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        if self.add(destination, tarfile.REGTYPE, mode, data):
            for library in libraries(source):
                self.add_file(os.path.realpath(library), library)

    def add_tree(self, source, destination):
        for folder, folders, files in os.walk(source):
            folders.sort()
            place = os.path.join(destination, os.path.relpath(folder, source)).rstrip("/.")
            self.add(place, tarfile.DIRTYPE, 0o755)
            for name in sorted(files):
                # A link of a distribution's to what is not installed is no loss.
                if os.path.isfile(path := os.path.join(folder, name)):
                    self.add_file(path, os.path.join(place, name))

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


def make(wanted):
    layer = Layer()
    layer.add("tmp", tarfile.DIRTYPE, 0o1777)
    for link in wanted.link:
        name, target = link.split("=", 1)
        layer.add(name, tarfile.SYMTYPE, 0o777, target=target)
    for file in wanted.files:
        source, destination = file.split("=", 1)
        (layer.add_tree if os.path.isdir(source) else layer.add_file)(source, destination)
    return layer.finish()


def main():
    wanted = arguments()
    blobs = {}

    def blob(media_type, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    layer = blob("application/vnd.oci.image.layer.v1.tar", make(wanted))
    config = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": {
            "User": wanted.user,
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin:/", *wanted.env],
            "Entrypoint": wanted.entrypoint,
            "Cmd": wanted.command,
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.oci.image.config.v1+json", json.dumps(config, sort_keys=True).encode()),
        "layers": [layer],
    }
    described = blob(manifest["mediaType"], json.dumps(manifest).encode())
    described["platform"] = {"architecture": config["architecture"], "os": config["os"]}
    described["annotations"] = {"io.containerd.image.name": wanted.reference}
    index = {"schemaVersion": 2, "manifests": [described]}
    parts = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
    parts.update({f"blobs/sha256/{digest}": data for digest, data in blobs.items()})
    # All at once, so that an interrupted run leaves none.
    with tarfile.open(f"{wanted.archive}.part", "w") as archive:
        for name, data in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), TIME
            archive.addfile(entry, io.BytesIO(data))
    os.rename(f"{wanted.archive}.part", wanted.archive)


main()
