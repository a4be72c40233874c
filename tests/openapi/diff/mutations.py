"""Small random changes of a document or a schema: some break it and some do not."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]

BOUNDS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum", "multipleOf"),
    "number": ("minimum", "maximum", "multipleOf"),
}
KINDS = ("array", "boolean", "integer", "number", "object", "string")
PATTERNS = ("^[a-c]+$", "^a", "b$", "^[abc1]*$", "^[ab]{2,4}$", "c", "^(a|b1)*$", "")
LISTS = ("allOf", "anyOf", "oneOf")


def mutated(raw: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A copy of the document `raw` with one thing changed, mostly a schema."""
    result = copy.deepcopy(raw)
    if dice.randrange(4):
        change_schema(dice.choice(list(schemas_of(result))), dice)
    else:
        item = dice.choice(list(result["paths"].values()))
        operation = dice.choice([inner for key, inner in item.items() if key != "parameters"])
        dice.choice(OF_OPERATIONS)(operation, dice)
    return result


def change_schema(schema: Schema, dice: random.Random) -> None:
    """Change `schema` in one way that suits its type."""
    kind = schema.get("type", "")
    ways = [*OF_SCHEMAS, *[bound] * (3 * (kind in BOUNDS)), *OF_TYPES.get(kind, []) * 3]
    dice.choice(ways)(schema, dice)
    if "enum" in schema:  # validators disagree whether a nullable enum must list null
        schema.pop("nullable", None)


def schemas_of(node: Any) -> Iterator[Schema]:
    """Every inline schema of a document, or of a part of it."""
    if isinstance(node, list):
        for inner in node:
            yield from schemas_of(inner)
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "schema":
                yield from within(inner)
            elif key == "schemas":
                for schema in inner.values():
                    yield from within(schema)
            elif key not in ("example", "examples"):
                yield from schemas_of(inner)


def within(schema: Any) -> Iterator[Schema]:
    """`schema` and every inline schema within it."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return
    yield schema
    for key in ("items", "additionalProperties", "not"):
        yield from within(schema.get(key))
    for inner in (*schema.get("properties", {}).values(), *(branch for key in LISTS for branch in schema.get(key, []))):
        yield from within(inner)


def bound(schema: Schema, dice: random.Random) -> None:
    """Move a bound of the type, drop it, or add one."""
    key = dice.choice(BOUNDS[schema["type"]])
    if key not in schema:
        schema[key] = dice.choice((1, 2, 3, 5))
    elif dice.randrange(3) == 0:
        del schema[key]
    else:
        schema[key] = max(0 if key != "multipleOf" else 1, schema[key] + dice.choice((-2, -1, 1, 2)))


def exclusion(schema: Schema, dice: random.Random) -> None:
    """Exclude a bound, or include it."""
    key = dice.choice(("Minimum", "Maximum"))
    schema.setdefault(key.lower(), dice.randrange(4))
    schema[f"exclusive{key}"] = not schema.get(f"exclusive{key}", False)


def pattern(schema: Schema, dice: random.Random) -> None:
    """Replace or drop the pattern."""
    schema.pop("pattern", None)
    if dice.randrange(3):
        schema["pattern"] = dice.choice(PATTERNS)


def unique(schema: Schema, dice: random.Random) -> None:
    """Toggle uniqueItems, or replace the schema of items."""
    if dice.randrange(2):
        schema["uniqueItems"] = not schema.get("uniqueItems", False)
    else:
        schema["items"] = {"type": dice.choice(KINDS)}


def property_added(schema: Schema, dice: random.Random) -> None:
    """Add a property, which may be required."""
    schema.setdefault("properties", {})["added"] = {"type": dice.choice(("integer", "string"))}
    if dice.randrange(3) == 0:
        schema["required"] = [*schema.get("required", []), "added"]


def property_removed(schema: Schema, dice: random.Random) -> None:
    """Remove a property, even a required one."""
    if schema.get("properties"):
        del schema["properties"][dice.choice(sorted(schema["properties"]))]


def required(schema: Schema, dice: random.Random) -> None:
    """Make a property required, or optional."""
    if schema.get("properties"):
        name = dice.choice(sorted(schema["properties"]))
        schema["required"] = sorted({name} ^ set(schema.get("required", [])))
    if not schema.get("required"):
        schema.pop("required", None)


def openness(schema: Schema, dice: random.Random) -> None:
    """Forbid or allow additional properties, or give them a schema."""
    schema["additionalProperties"] = dice.choice((False, True, {"type": "string"}, {"type": "integer"}))


def listing(schema: Schema, dice: random.Random) -> None:
    """Add or remove a value of the enum, add an enum, or drop it."""
    listed = schema.get("enum")
    if listed and dice.randrange(4) == 0:
        del schema["enum"]
    elif listed and len(listed) > 1 and dice.randrange(2):
        listed.remove(dice.choice(listed))
    else:
        schema["enum"] = [*(listed or []), *dice.sample(["a", "b", "ab", 1, 2, 3], 2)]


def kind(schema: Schema, dice: random.Random) -> None:
    """Replace or drop the type."""
    near = {"integer": "number", "number": "integer"}.get(schema.get("type", ""))
    schema["type"] = near if near and dice.randrange(3) else dice.choice(KINDS)
    if dice.randrange(6) == 0:
        del schema["type"]


def nullable(schema: Schema, _: random.Random) -> None:
    """Toggle nullable."""
    schema["nullable"] = not schema.get("nullable", False)


def format_(schema: Schema, dice: random.Random) -> None:
    """Replace or drop the format."""
    schema.pop("format", None)
    if dice.randrange(2):
        schema["format"] = dice.choice(("int32", "int64", "uuid", "date", "date-time", "password"))


def alternatives(schema: Schema, dice: random.Random) -> None:
    """Put the schema into a list of one or two alternatives."""
    inner, other = dict(schema), {"type": dice.choice(KINDS)}
    schema.clear()
    key = dice.choice(LISTS)
    schema[key] = [inner, other] if dice.randrange(3) else [inner]


def exception(schema: Schema, dice: random.Random) -> None:
    """Exclude a value with `not`, or drop `not`."""
    if schema.pop("not", None) is None:
        schema["not"] = {"enum": [dice.choice(("a", "ab", 0, 1, 2))]}


def mark(schema: Schema, dice: random.Random) -> None:
    """Change a keyword that does not decide which values are accepted."""
    key = dice.choice(("deprecated", "readOnly", "writeOnly", "default", "description", "title"))
    value = {"default": 1, "description": "Another.", "title": "Another"}.get(key, not schema.get(key, False))
    schema[key] = value


def parameter_added(operation: Any, dice: random.Random) -> None:
    """Add a parameter, which may be required."""
    added = {"name": "added", "in": dice.choice(("query", "header")), "schema": {"type": "integer"}}
    operation.setdefault("parameters", []).append({**added, "required": dice.randrange(3) == 0})


def parameter_changed(operation: Any, dice: random.Random) -> None:
    """Make a parameter required or optional, or remove it."""
    parameters = [raw for raw in operation.get("parameters", []) if raw.get("in") != "path" and "$ref" not in raw]
    if parameters:
        parameter = dice.choice(parameters)
        if dice.randrange(3):
            parameter["required"] = not parameter.get("required", False)
        else:
            operation["parameters"].remove(parameter)


def body_changed(operation: Any, dice: random.Random) -> None:
    """Make the body required or optional, add it, or remove it."""
    if "requestBody" not in operation:
        content = {"application/json": {"schema": {"type": "string", "maxLength": 4}}}
        operation["requestBody"] = {"content": content, "required": dice.randrange(2) == 0}
    elif dice.randrange(4) == 0:
        del operation["requestBody"]
    elif "$ref" not in operation["requestBody"]:
        operation["requestBody"]["required"] = not operation["requestBody"].get("required", False)


def media_type_changed(operation: Any, dice: random.Random) -> None:
    """Add a media type or range to the body, or replace one with it."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return
    name, media_type = dice.choice(list(content.items()))
    if dice.randrange(2):
        del content[name]
    content[dice.choice(("application/*", "application/cbor", "text/plain"))] = media_type


def status_changed(operation: Any, dice: random.Random) -> None:
    """Add or remove a status."""
    answers = operation["responses"]
    if len(answers) > 1 and dice.randrange(2):
        del answers[dice.choice(sorted(answers))]
    else:
        errors = [answer for status, answer in answers.items() if str(status)[0] in "45d"]
        answers[dice.choice(("202", "418", "4XX"))] = (
            copy.deepcopy(errors[0]) if errors else {"description": "It is so."}
        )


def words_changed(operation: Any, dice: random.Random) -> None:
    """Change a text of the operation, its operationId, or `deprecated`."""
    key = dice.choice(("summary", "description", "operationId", "deprecated"))
    operation[key] = True if key == "deprecated" else "Another"


def authentication_changed(operation: Any, dice: random.Random) -> None:
    """Drop authentication, or require another scheme."""
    operation["security"] = dice.choice(([], [{}], [{"another": []}]))


Change = Callable[[Any, random.Random], None]
OF_SCHEMAS: list[Change] = [listing, kind, nullable, format_, alternatives, exception, mark]
OF_TYPES: dict[str, list[Change]] = {
    "string": [pattern],
    "array": [unique],
    "object": [property_added, property_removed, required, openness],
    "integer": [exclusion],
    "number": [exclusion],
}
OF_OPERATIONS: list[Change] = [
    *(parameter_added, parameter_changed, body_changed, media_type_changed),
    *(status_changed, words_changed, authentication_changed),
]
