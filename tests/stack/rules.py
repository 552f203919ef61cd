"""Holds compose.yaml, as `docker compose config` resolves it, to what is promised of it. One line a finding."""

import json
import re
import sys

# What a service may do otherwise, and why that is so, is said beside it in compose.yaml.
WRITABLE = {"elasticsearch"}
ONE_SHOT = {"elasticsearch-users", "load"}
# Neither image has a shell or a client, and neither program can ask itself.
UNASKED = {"jaeger", "otel-collector"}

PINNED = re.compile(r"^[\w.\-/]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$")


def findings(name, service):
    image = service.get("image", "")
    if not PINNED.match(image):
        yield f"image {image} is not an exact version"
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            yield f"port {port.get('published')} is published on {port.get('host_ip', 'every address')}"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "can gain privileges"
    if service.get("privileged") or service.get("network_mode"):
        yield "is privileged, or on the machine's network"
    if not service.get("read_only") and name not in WRITABLE:
        yield "can write to its image"
    if str(service.get("user", "")).split(":")[0] in ("", "0", "root") and "build" not in service:
        yield "does not say that it runs as somebody else than root"
    if not service.get("mem_limit") or not service.get("pids_limit"):
        yield "has no limit of memory or processes"
    for volume in service.get("volumes", []):
        if volume["type"] == "bind" and not volume.get("read_only"):
            yield f"can write to {volume['source']}"
        if volume["source"].endswith("docker.sock"):
            yield "can command the engine"
    if "healthcheck" not in service and name not in UNASKED:
        yield "is not asked whether it is well"
    if service.get("restart") != "unless-stopped" and name not in ONE_SHOT:
        yield "is not started again"


def main():
    path, secrets = sys.argv[1:]
    stack = json.load(open(path))
    found = [f"{name}: {text}" for name, service in stack["services"].items() for text in findings(name, service)]
    expected = {
        "kurrentdb", "mongodb", "elasticsearch", "api", "orders-projector", "search-projector", "prometheus",
        "alertmanager", "node-exporter", "grafana", "loki", "otel-collector", "jaeger", "load",
    }
    found += [f"{name}: is missing" for name in expected - stack["services"].keys()]
    if not stack["networks"]["engines"].get("internal"):
        found.append("engines: the network leads outside")
    found += [f"{name}: is not started with the stack" for name, service in stack["services"].items()
              if service.get("profiles") and name != "load"]
    # A password that stands in the file itself would be there before any was made.
    text = open("compose.yaml").read()
    found += [f"compose.yaml has a {word}" for word in re.findall(r"(?i)[\w]*(?:password|token|secret)[\w]*: *\S+", text)]
    passwords = {word for word in re.findall(r"\b[0-9a-f]{48}\b", open(secrets).read())}
    if len(passwords) < 4:
        found.append("the passwords are not what is expected of them")
    for line in found:
        print(line, file=sys.stderr)
    images = {service["image"] for service in stack["services"].values()}
    print(f"{len(stack['services'])} services, {len(images)} images, {sum('@sha256:' in image for image in images)} by digest")
    sys.exit(bool(found))


main()
