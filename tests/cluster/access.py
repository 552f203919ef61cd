"""The table of who may do what (deployments/access.tsv), as questions to an API server.

    access.py questions TABLE            prints SubjectAccessReviews, to be created
    access.py compare TABLE ANSWERS      compares what was created; prints what differs and fails, or how many were asked
"""

import json
import sys

from kubectl import listed, objects_of


def rows(path):
    for line in open(path):
        if line.strip() and not line.startswith("#"):
            yield line.split()


def review(group, verb, resource, namespace, _):
    resource, _, subresource = resource.partition("/")
    resource, _, api_group = resource.partition(".")
    attributes = {"verb": verb, "group": api_group, "resource": resource, "subresource": subresource, "version": "*"}
    if resource == "*":
        attributes["group"] = "*"
    if namespace != "-":
        attributes["namespace"] = namespace
    spec = {"user": "somebody", "groups": [f"highbeam:{group}", "system:authenticated"], "resourceAttributes": attributes}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


table = list(rows(sys.argv[2]))
if sys.argv[1] == "questions":
    json.dump(listed(review(*row) for row in table), sys.stdout)
else:
    told = list(objects_of(sys.argv[3]))
    assert len(told) == len(table), f"{len(table)} questions and {len(told)} answers"
    wrong = [row for row, answer in zip(table, told) if answer["status"]["allowed"] != (row[4] == "allow")]
    for group, verb, resource, namespace, answer in wrong:
        print(f"{group} {verb} {resource} {namespace}: not {answer}")
    if wrong:
        sys.exit(1)
    allowed = sum(row[4] == "allow" for row in table)
    print(f"{len(table)} questions, {allowed} allowed and {len(table) - allowed} denied")
