"""Asks Kyverno itself, by its CLI, what policies.json asks the API server's CEL; then takes each rule away once, and sees
that a case notices. By what it says a case is refused, too: of two rules that refuse the same, each has its own.

    kyverno.py CLI POLICIES.yaml FOLDER [--mutate]

POLICIES are rendered; FOLDER takes the tests that are written for the CLI. Cases of one set of groups are one test, for a
test has one user.
"""

import copy
import json
import os
import subprocess
import sys

import yaml

from cases import merged

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = {"pod": ("Pod", "pods"), "service": ("Service", "services"), "role": ("ClusterRole", "clusterroles")}


def is_about(policy, plural):
    return any(plural in rule["resources"] for rule in policy["spec"]["matchConstraints"]["resourceRules"])


def is_left_out(policy, case):
    """Cases that a policy's own conditions leave out: what they say is not a pass, and not a failure."""
    left_out = {"highbeam-operability": ("no probes, and it ends",),
                "highbeam-roles": ("a role with a wildcard, of an administrator", "a role with a wildcard, of the system")}
    return any(policy["metadata"]["name"].startswith(name) and case["what"] in cases for name, cases in left_out.items())


def write(folder, policies, cases, bases, groups):
    os.makedirs(folder, exist_ok=True)
    resources, results, refusals = [], [], []
    for index, case in cases:
        made = copy.deepcopy(merged(bases[case["base"]], case.get("change", {})))
        kind, plural = KINDS[case["base"]]
        name = made["metadata"]["name"] if made["metadata"]["name"].startswith("system:") else f"case-{index}"
        made["metadata"]["name"] = name
        if kind != "ClusterRole":
            made["metadata"]["namespace"] = "prod"
        resources.append(made)
        for policy in policies:
            if not is_about(policy, plural):
                continue
            messages = [validation["message"] for validation in policy["spec"]["validations"]]
            result = "skip" if is_left_out(policy, case) else "fail" if case.get("refused") in messages else "pass"
            if result == "fail":
                refusals.append((name, policy["metadata"]["name"], case["refused"]))
            results.append({"policy": policy["metadata"]["name"], "isValidatingPolicy": True, "kind": kind, "resources": [name], "result": result})
    test = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Test", "metadata": {"name": "highbeam"}, "policies": ["policies.yaml"],
            "resources": ["resources.yaml"], "variables": "values.yaml", "userinfo": "user.yaml", "results": results}
    values = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Value", "metadata": {"name": "values"},
              "namespaceSelector": [{"name": "prod", "labels": {"kubernetes.io/metadata.name": "prod"}}]}
    user = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "UserInfo", "metadata": {"name": "user"},
            "userInfo": {"username": "somebody", "groups": list(groups) + ["system:authenticated"]}}
    for name, documents in (("policies", policies), ("resources", resources), ("kyverno-test", [test]), ("values", [values]), ("user", [user])):
        with open(os.path.join(folder, f"{name}.yaml"), "w") as out:
            yaml.safe_dump_all(documents, out)
    return len(results), refusals


def run(cli, folder, refusals):
    """What is not as it has to be: results, and which rule it was that refused a case."""
    done = subprocess.run([cli, "test", folder, "--detailed-results", "--remove-color", "--output-format", "json"], capture_output=True, text=True, timeout=300)
    begin = done.stdout.find("\n[\n")
    if begin < 0:
        return [done.stdout + done.stderr]
    results, _ = json.JSONDecoder().raw_decode(done.stdout, begin + 1)
    wrong = [f"{row['RESOURCE']}, {row['POLICY']}: {row['REASON']}" for row in results if row["RESULT"] != "Pass"]
    told = {(row["RESOURCE"].rsplit("/", 1)[1], row["POLICY"]): row["Message"] for row in results}
    wrong += [f"{name}: {policy} says {told.get((name, policy))!r}, not {message!r}" for name, policy, message in refusals if told.get((name, policy)) != message]
    if done.returncode != 0 and not wrong:
        wrong.append(done.stderr)
    return wrong


def main():
    cli, path, folder = sys.argv[1:4]
    # Nobody execs here: what is asked of pods/exec has no resource that the CLI could be shown.
    policies = [policy for policy in yaml.safe_load_all(open(path)) if policy and not policy["metadata"]["name"].startswith("highbeam-exec")]
    data = json.load(open(os.path.join(HERE, "policies.json")))
    sets = {}
    for index, case in enumerate(data["cases"]):
        sets.setdefault(tuple(case.get("groups", ())), []).append((index, case))

    def suite(policies, to):
        asked, told = 0, []
        for number, (groups, cases) in enumerate(sets.items()):
            place = os.path.join(to, str(number))
            answers, refusals = write(place, policies, cases, data["bases"], groups)
            asked += answers
            told += run(cli, place, refusals)
        return asked, told

    asked, told = suite(policies, os.path.join(folder, "whole"))
    if told:
        print("\n".join(told))
        sys.exit(1)
    if "--mutate" not in sys.argv:
        print(f"{len(policies)} policies, {asked} answers")
        return
    unnoticed, rules = [], 0
    for policy in range(len(policies)):
        for rule in range(len(policies[policy]["spec"]["validations"])):
            rules += 1
            broken = copy.deepcopy(policies)
            # The rule is still there, and has nothing to say: its message belongs to the cases that expect it.
            broken[policy]["spec"]["validations"][rule]["expression"] = "true"
            if not suite(broken, os.path.join(folder, "broken"))[1]:
                unnoticed.append(f"nobody misses {policies[policy]['metadata']['name']}: {policies[policy]['spec']['validations'][rule]['message']}")
    if unnoticed:
        print("\n".join(unnoticed))
        sys.exit(1)
    print(f"{len(policies)} policies, {asked} answers; each of {rules} rules was taken away once, and missed")


main()
