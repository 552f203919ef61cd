"""Makes the JSON schemas that kubeconform reads from what Kubernetes and the projects of custom resources publish.

    schemas.py FOLDER OPENAPI.json… --crds CRD.yaml…

OPENAPI are the files of api/openapi-spec/v3 in the module k8s.io/kubernetes. One schema for each kind and version, called
as kubeconform asks for it: kind-group-version.json. They are strict: a field that is not named is an error.
"""

import json
import os
import sys

import yaml

# Where the keys are names of somebody's, and not words of the schema language.
NAMED = ("properties", "patternProperties", "definitions")
ONE, MANY = ("items", "additionalProperties", "not"), ("allOf", "anyOf", "oneOf")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as Kubernetes reads it: a `=` alone is a text."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def strict(schema):
    """OpenAPI's dialect as JSON Schema, without room for fields that nobody declared."""
    if not isinstance(schema, dict):
        return schema
    schema = dict(schema)
    for key, value in list(schema.items()):
        if key in NAMED:
            schema[key] = {name: strict(inner) for name, inner in value.items()}
        elif key in ONE:
            schema[key] = strict(value)
        elif key in MANY:
            schema[key] = [strict(inner) for inner in value]
    if "$ref" in schema:
        schema["$ref"] = schema["$ref"].replace("#/components/schemas/", "#/definitions/")
    if schema.pop("nullable", False) and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        for key in ("type", "format", "anyOf"):
            schema.pop(key, None)
        schema["oneOf"] = [{"type": "string"}, {"type": "integer"}]
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and not open_ended:
        schema["additionalProperties"] = False
    schema.pop("default", None)
    return schema


def references(schema):
    """The names of definitions that a schema uses."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rsplit("/", 1)[1]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def closure(schema, definitions):
    needed, open_ = {}, [schema]
    while open_:
        for name in references(open_.pop()):
            if name not in needed:
                needed[name] = definitions[name]
                open_.append(definitions[name])
    return needed


def of_kubernetes(path):
    published = json.load(open(path)).get("components", {}).get("schemas", {})
    definitions = {name: strict(schema) for name, schema in published.items()}
    for name, schema in published.items():
        kinds = schema.get("x-kubernetes-group-version-kind", [])
        # Some, as DeleteOptions, belong to every group and are nothing that is applied.
        if len(kinds) != 1 or "kind" not in schema.get("properties", {}):
            continue
        made = dict(definitions[name], definitions=closure(definitions[name], definitions))
        made["properties"] = dict(made["properties"], kind={"enum": [kinds[0]["kind"]]})
        made["required"] = sorted({*made.get("required", []), "apiVersion", "kind"})
        yield kinds[0]["kind"], kinds[0]["group"], kinds[0]["version"], made


def of_definitions(path):
    for document in yaml.load_all(open(path), Loader=Loader):
        if not document or document.get("kind") != "CustomResourceDefinition":
            continue
        names, group = document["spec"]["names"], document["spec"]["group"]
        for version in document["spec"]["versions"]:
            made = strict(version["schema"]["openAPIV3Schema"])
            made["properties"] = dict(made.get("properties", {}), metadata={"type": "object"}, kind={"enum": [names["kind"]]})
            made["properties"].setdefault("apiVersion", {"type": "string"})
            yield names["kind"], group, version["name"], made


def main():
    folder, *files = sys.argv[1:]
    border = files.index("--crds")
    os.makedirs(folder, exist_ok=True)
    made = 0
    for source, paths in ((of_kubernetes, files[:border]), (of_definitions, files[border + 1 :])):
        for path in paths:
            for kind, group, version, schema in source(path):
                name = "-".join(part for part in (kind, group.split(".")[0], version) if part)
                schema["$schema"] = "http://json-schema.org/draft-07/schema#"
                with open(os.path.join(folder, f"{name.lower()}.json"), "w") as out:
                    json.dump(schema, out)
                made += 1
    print(made)


main()
