"""Kyverno's policies, judged by the API server's own CEL: their expressions are those of a ValidatingAdmissionPolicy, so
each is made into one, for a namespace of the test, and every case of policies.json is asked of it.

    policies.py admission POLICIES NAMESPACE    prints the ValidatingAdmissionPolicies and bindings
    policies.py compare POLICIES NAMESPACE      asks, with the kubectl of $KUBECTL; prints what differs and fails

This is not Kyverno: how it matches, reports and excludes is not seen here.
"""

import copy
import json
import os
import subprocess
import sys

from cases import merged
from kubectl import listed, objects_of

HERE = os.path.dirname(os.path.abspath(__file__))


def admission(policy, namespace):
    spec = {key: copy.deepcopy(policy["spec"][key]) for key in ("matchConstraints", "matchConditions", "validations", "variables") if key in policy["spec"]}
    spec["failurePolicy"] = "Fail"
    if "namespaceSelector" in spec["matchConstraints"]:
        spec["matchConstraints"]["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    name = policy["metadata"]["name"]
    yield {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}
    yield {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
           "spec": {"policyName": name, "validationActions": ["Deny"]}}


def ask(case, bases, namespace):
    made = merged(bases[case["base"]], case.get("change", {}))
    if made["kind"] not in ("ClusterRole",):
        made["metadata"]["namespace"] = namespace
    command = [os.environ.get("KUBECTL", "kubectl"), "create", "--dry-run=server", "-f", "-"]
    for group in case.get("groups", []):
        command += ["--as", "somebody", "--as-group", group]
    done = subprocess.run(command, input=json.dumps(made), capture_output=True, text=True)
    return done.returncode == 0, done.stderr.strip()


policies, namespace = list(objects_of(sys.argv[2])), sys.argv[3]
if sys.argv[1] == "admission":
    json.dump(listed(item for policy in policies for item in admission(policy, namespace)), sys.stdout)
    sys.exit()

cases = json.load(open(os.path.join(HERE, "policies.json")))
wrong, told_by = [], set()
for case in cases["cases"]:
    allowed, told = ask(case, cases["bases"], namespace)
    refused_by = case.get("refused")
    if refused_by is None:
        if not allowed:
            wrong.append(f"{case['what']}: refused, {told}")
    elif allowed or refused_by not in told:
        wrong.append(f"{case['what']}: {'allowed' if allowed else told}, not refused by \"{refused_by}\"")
    else:
        told_by.add(refused_by)
# A validation that no case is refused by could be left out, and nobody would notice.
asked = [validation["message"] for policy in policies for validation in policy["spec"]["validations"] if policy["metadata"]["name"] != "highbeam-exec-deny"]
wrong += [f"no case is refused by \"{message}\"" for message in asked if message not in told_by]
print("\n".join(wrong) if wrong else f"{len(policies)} policies, {len(asked)} rules, {len(cases['cases'])} cases")
sys.exit(bool(wrong))
