"""Takes what an OTLP sender sends, answers each request with an empty success, and keeps the raw requests:

  record.py FOLDER COMMAND...

listens for gRPC or for HTTP, as OTEL_EXPORTER_OTLP_PROTOCOL says, runs the command with
OTEL_EXPORTER_OTLP_ENDPOINT set, and ends as it ends. Each request becomes FOLDER/NNN.bin (the body; over HTTP
as it came off the wire, with its compression, over gRPC as the message is) and FOLDER/NNN.json (its path and
headers). It reads no OTLP: whatever is sent is kept as it is."""

import json
import os
import pathlib
import subprocess
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc

# Headers that say something about the sender or the body; host and the like would say where it was recorded.
HEADERS = ("content-type", "content-encoding", "transfer-encoding", "user-agent", "accept-encoding", "grpc-encoding",
           "grpc-accept-encoding", "te")


class Kept:
    def __init__(self, folder):
        self.folder, self.lock, self.count = pathlib.Path(folder), threading.Lock(), 0
        self.folder.mkdir(parents=True, exist_ok=True)

    def take(self, transport, path, headers, body):
        with self.lock:
            number, self.count = self.count, self.count + 1
            self.folder.joinpath(f"{number:03}.bin").write_bytes(body)
            # The index is written last: a test that sees it sees the body too.
            index = {"transport": transport, "path": path,
                     "headers": {name: headers[name] for name in HEADERS if name in headers}, "bytes": len(body)}
            self.folder.joinpath(f"{number:03}.json").write_text(json.dumps(index, indent=2) + "\n")


def over_http(kept):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            if headers.get("transfer-encoding", "").lower() == "chunked":
                body = b"".join(self.chunks())
            else:
                body = self.rfile.read(int(headers.get("content-length", 0)))
            kept.take("http", self.path, headers, body)
            json_wanted = headers.get("content-type", "").startswith("application/json")
            answer = b"{}" if json_wanted else b""
            self.send_response(200)
            self.send_header("content-type", headers.get("content-type", "application/x-protobuf"))
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def chunks(self):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class AnyMethod(grpc.GenericRpcHandler):
    """Takes every unary call, whatever its name, as bytes: gRPC has undone the compression by then."""

    def __init__(self, kept):
        self.kept = kept

    def service(self, call):
        headers = {key: value for key, value in call.invocation_metadata if isinstance(value, str)}

        def answer(body, _):
            self.kept.take("grpc", call.method, headers, body)
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


def over_grpc(kept):
    server = grpc.server(futures.ThreadPoolExecutor(4), [AnyMethod(kept)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main(folder, *command):
    kept = Kept(folder)
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") == "grpc":
        server, port = over_grpc(kept)
    else:
        server, port = None, over_http(kept)
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    ended = subprocess.run(command, env=environment, timeout=120, check=False)
    if server:
        server.stop(1).wait()
    return ended.returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
