"""Reads objects as kubectl prints them (JSON, one list or one after another) and prints the pods that their workloads
would make, as one list: what admission says of a pod it says of no Deployment."""

import json
import sys

from kubectl import listed, objects

pods = []
for made in objects(sys.stdin.read()):
    spec = made["spec"]["jobTemplate"]["spec"] if made["kind"] == "CronJob" else made.get("spec", {})
    template = spec.get("template") if made["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob") else None
    if template is None:
        continue
    spec = dict(template["spec"])
    # Volumes from claims are the StatefulSet's to add.
    claims = [claim["metadata"]["name"] for claim in made["spec"].get("volumeClaimTemplates", [])]
    spec["volumes"] = spec.get("volumes", []) + [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    metadata = {**template["metadata"], "name": made["metadata"]["name"] + "-0", "namespace": made["metadata"]["namespace"]}
    pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
assert pods, "no workload is there"
json.dump(listed(pods), sys.stdout)
