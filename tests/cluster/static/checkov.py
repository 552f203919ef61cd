"""Holds what checkov finds against the waivers: a finding that none covers is told, and a waiver that covers none.

    checkov.py WAIVERS.yaml REPORT.json…
"""

import fnmatch
import json
import sys

import yaml

waivers = yaml.safe_load(open(sys.argv[1]))
used, found, passed = set(), [], 0
for path in sys.argv[2:]:
    report = json.load(open(path))
    passed += report["summary"]["passed"]
    for failed in report["results"]["failed_checks"]:
        resource = failed["resource"]
        covers = [
            (index, pattern)
            for index, waiver in enumerate(waivers)
            for pattern in waiver["resources"]
            if waiver["check"] == failed["check_id"] and fnmatch.fnmatchcase(resource, pattern)
        ]
        used.update(covers)
        if not covers:
            found.append(f"{resource}: {failed['check_id']}, {failed['check_name']}")
for index, waiver in enumerate(waivers):
    idle = [pattern for pattern in waiver["resources"] if (index, pattern) not in used]
    found += [f"waivers.yaml: nothing finds {waiver['check']} in {pattern} ({waiver['why']})" for pattern in idle]
if not passed:
    found.append("checkov looked at nothing")
print("\n".join(sorted(set(found))) if found else f"{passed} passed, {len(used)} waived with a reason")
sys.exit(bool(found))
