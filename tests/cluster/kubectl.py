"""Objects as kubectl prints them in JSON: one, one after another, or lists of them; not what they mean."""

import json


def objects(text):
    text, decoder, at = text.strip(), json.JSONDecoder(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield from value["items"] if value["kind"] == "List" else [value]
        while at < len(text) and text[at].isspace():
            at += 1


def objects_of(path):
    with open(path) as file:
        yield from objects(file.read())


def listed(items):
    """What kubectl takes them back as."""
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}
