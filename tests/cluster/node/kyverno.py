"""Prints what Kyverno's own installation has of its admission controller, from its module's manifests: definitions,
accounts, settings, Services, and the controller's Deployment with the image that is made here.

    kyverno.py INSTALLATION.yaml IMAGE

Left out: its other controllers, and the step before the controller that removes what earlier versions left.
"""

import json
import sys

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# An equals sign alone, which YAML 1.1 has a type for, is a word in an enumeration.
Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)
PARTS = {"admission-controller", "config"}


def main(path, image):
    kept = []
    for made in yaml.load_all(open(path), Loader=Loader):
        if not made:
            continue
        part = made["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        if made["kind"] not in ("CustomResourceDefinition", "Namespace") and part not in PARTS:
            continue
        if made["kind"] == "Deployment":
            pod = made["spec"]["template"]["spec"]
            pod.pop("initContainers", None)
            for container in pod["containers"]:
                container["image"] = image
        kept.append(made)
    assert any(made["kind"] == "Deployment" for made in kept), f"{path} has no admission controller"
    # Definitions first, for other objects are of them.
    kept.sort(key=lambda made: made["kind"] not in ("CustomResourceDefinition", "Namespace"))
    json.dump({"apiVersion": "v1", "kind": "List", "items": kept}, sys.stdout)


main(*sys.argv[1:])
