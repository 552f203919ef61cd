"""Holds charts/RELEASE/values.yaml against the chart's own values: a key that the chart does not have is one that it does
not read, silently.

    values.py OURS.yaml THEIRS.yaml

Where the chart gives an empty map, or names the key in a comment only, what is in it is taken.
"""

import re
import sys

import yaml

# Maps whose keys are of another program, which the chart hands on.
FREE = ("meshConfig", "resources", "namespaceSelector")
ours = yaml.safe_load(open(sys.argv[1])) or {}
text = open(sys.argv[2]).read()
theirs = yaml.safe_load(text)
# Istio's charts keep their defaults a level deeper.
theirs = {**theirs, **theirs.get("_internal_defaults_do_not_set", {})}


def unknown(ours, theirs, path):
    for key, value in ours.items():
        here = f"{path}{key}"
        if key not in theirs:
            if not re.search(rf"^\s*#\s*{re.escape(key)}:", text, re.MULTILINE):
                yield here
        elif isinstance(value, dict) and key not in FREE and isinstance(theirs[key], dict) and theirs[key]:
            yield from unknown(value, theirs[key], f"{here}.")


found = list(unknown(ours, theirs, ""))
print("\n".join(found))
sys.exit(bool(found))
