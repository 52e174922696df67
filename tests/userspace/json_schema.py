# SPDX-License-Identifier: GPL-2.0
"""Check a value against the part of JSON Schema that our schema uses."""
import re

TYPES = {
    "object": dict, "array": list, "string": str, "null": type(None),
    "boolean": bool, "integer": int,
}
KNOWN = {
    "$schema", "title", "description", "type", "enum", "const", "pattern", "minimum",
    "maximum", "required", "properties", "additionalProperties", "allOf", "if", "then",
    "else",
}


def is_type(value, name):
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES[name])


def equal(a, b):
    return type(a) is type(b) and a == b


def object_errors(value, schema, path):
    properties = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in value:
            yield f"{path}: {key} is missing"
    for key, item in value.items():
        if key in properties:
            yield from errors(item, properties[key], f"{path}.{key}")
        elif schema.get("additionalProperties", True) is False:
            yield f"{path}: {key} is not known"


def errors(value, schema, path="$"):
    """Yield what is wrong with value, in words."""
    if schema is True:
        return
    if schema is False:
        yield f"{path}: must not be there"
        return
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"{path}: the checker does not know {unknown}")
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(is_type(value, name) for name in names):
            yield f"{path}: {value!r} is not {names}"
    if "enum" in schema and not any(equal(value, one) for one in schema["enum"]):
        yield f"{path}: {value!r} is not one of {schema['enum']}"
    if "const" in schema and not equal(value, schema["const"]):
        yield f"{path}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    if is_type(value, "integer"):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield f"{path}: {value} is out of range"
    if isinstance(value, dict):
        yield from object_errors(value, schema, path)
    for part in schema.get("allOf", []):
        yield from errors(value, part, path)
    if "if" in schema:
        branch = "else" if any(errors(value, schema["if"], path)) else "then"
        yield from errors(value, schema.get(branch, True), path)
