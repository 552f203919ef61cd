"""Remote write and queries over HTTP, for the scripts of the tests. What is sent and asked is theirs."""

import http.client
import json
import struct
import urllib.parse

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def series(labels, samples, exemplars=()):
    """A series of a request of remote write 1.0: `samples` are pairs of milliseconds and a number, exemplars have their
    labels before these."""
    def pairs(of):
        return b"".join(field(1, field(1, name.encode()) + field(2, of[name].encode())) for name in sorted(of))

    out = pairs(labels)
    for time_ms, value in samples:
        # The bits of a mark that ends a series must not go through arithmetic.
        out += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time_ms))
    for of, time_ms, value in exemplars:
        out += field(3, pairs(of) + b"\x11" + struct.pack("<d", value) + b"\x18" + varint(time_ms))
    return field(1, out)


def literal(data):
    """As snappy, without compressing anything."""
    out = bytearray(varint(len(data)))
    for at in range(0, len(data), 65536):
        part = data[at:at + 65536]
        out += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    return bytes(out)


class Server:
    """A server of Prometheus' API, at its base URL."""

    def __init__(self, name, base):
        self.name = name
        url = urllib.parse.urlsplit(base)
        self.host, self.prefix = url.netloc, url.path.rstrip("/")
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """The status and the body of an answer."""
        for is_last in (False, True):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, timeout=120)
            try:
                self.connection.request(method, self.prefix + path, body, headers or {})
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if is_last:
                    raise

    def write(self, data):
        """Sends what `series` made."""
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
                   "X-Prometheus-Remote-Write-Version": "0.1.0"}
        status, text = self.request("POST", "/api/v1/write", literal(data), headers)
        if status // 100 != 2:
            raise SystemExit(f"{self.name} does not take samples: {status} {text[:500]}")

    def ask(self, path, **parameters):
        """The answer to a form, as JSON."""
        body = urllib.parse.urlencode(parameters, doseq=True)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        _, text = self.request("POST", path, body, headers)
        return json.loads(text)

    def get(self, path, **parameters):
        """The answer to a GET, as JSON."""
        _, text = self.request("GET", path + "?" + urllib.parse.urlencode(parameters, doseq=True))
        return json.loads(text)
