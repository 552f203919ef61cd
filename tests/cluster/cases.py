"""How a case of policies.json becomes an object; not who judges it."""


def merged(base, change):
    """`change` over `base` as a JSON merge patch; where `base` is a list, keys are numbers of its entries."""
    if not isinstance(change, dict):
        return change
    if isinstance(base, list):
        return [merged(item, change.get(str(index), {})) for index, item in enumerate(base)]
    result = dict(base or {})
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
