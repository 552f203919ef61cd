"""Which engines each role of the program asks, held against deployments/edges.yaml.

    edges.py PROGRAM [TABLE]

Each role is started with the addresses of all engines, which are listeners of this script that note who connects and
hang up. What connects is what the code opens; the table's edges of that role have to be the same. An engine whose
address the program does not take is told, and left out.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ENGINES = {
    "EVENTSTORE_CONFIG_CONNECTION_STRING": "esdb://127.0.0.1:{}?tls=false",
    "MONGO_URI": "mongodb://127.0.0.1:{}/delivery",
    "ELASTIC_URL": "http://127.0.0.1:{}",
}
ROLES = ("api", "orders-projector", "search-projector")


class Listener:
    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connected = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            self.connected = True
            connection.close()


def table(path):
    """The settings of each role, by edges.yaml: one edge a line, as this script needs no reader of YAML for."""
    found = {role: set() for role in ROLES}
    text = open(path).read()
    for source, setting in re.findall(r"\{from: ([\w-]+), .*setting: (\w+)\}", text):
        if setting in ENGINES:
            found[source].add(setting)
    return found


def opened(program, role, settings, folder):
    listeners = {setting: Listener() for setting in settings}
    environment = {setting: ENGINES[setting].format(listener.port) for setting, listener in listeners.items()}
    log = open(os.path.join(folder, role + ".log"), "w+")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment |= {"PATH": os.environ["PATH"], "PORT": str(port), "DATA_DIR": os.path.join(folder, role)}
    process = subprocess.Popen([program, "serve", "--role", role], env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        end = time.monotonic() + 15
        while time.monotonic() < end and not all(listener.connected for listener in listeners.values()):
            if process.poll() is not None:
                log.seek(0)
                return None, log.read()
            try:
                # What readiness needs is asked, too.
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
            except OSError:
                pass
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(30)
    return {setting for setting, listener in listeners.items() if listener.connected}, ""


program = os.path.abspath(sys.argv[1])
expected, failures = table(sys.argv[2] if len(sys.argv) > 2 else "deployments/edges.yaml"), []
settings = set(ENGINES)
with tempfile.TemporaryDirectory() as folder:
    for role in ROLES:
        found, told = opened(program, role, settings, folder)
        if found is None and "MONGO_URI" in told and "scheme" in told:
            print("left out: this program takes no MongoDB")
            settings.discard("MONGO_URI")
            found, told = opened(program, role, settings, folder)
        if found is None:
            sys.exit(f"{role} ended: {told}")
        wanted = expected[role] & settings
        print(f"{role} asks {', '.join(sorted(found))}")
        failures += [f"{role} asks by {setting}, and edges.yaml has no edge for it" for setting in sorted(found - wanted)]
        failures += [f"{role} did not ask by {setting}, and edges.yaml lets it" for setting in sorted(wanted - found)]
print("\n".join(failures) if failures else "as edges.yaml says")
sys.exit(bool(failures))
