"""Small changes of a document or a schema, made by chance: some break it and some do not."""

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
    """Change `schema` in one way that its type has."""
    kind = schema.get("type", "")
    ways = [*OF_SCHEMAS, *[bound] * (3 * (kind in BOUNDS)), *OF_TYPES.get(kind, []) * 3]
    dice.choice(ways)(schema, dice)
    if "enum" in schema:  # whether it has to list null if that is a value is read in both ways
        schema.pop("nullable", None)


def schemas_of(node: Any) -> Iterator[Schema]:
    """Every schema that is written out in a document, or in a part of it."""
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
    """`schema` and every schema that is written out in it."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return
    yield schema
    for key in ("items", "additionalProperties", "not"):
        yield from within(schema.get(key))
    for inner in (*schema.get("properties", {}).values(), *(one for key in LISTS for one in schema.get(key, []))):
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
    """Another pattern, or none."""
    schema.pop("pattern", None)
    if dice.randrange(3):
        schema["pattern"] = dice.choice(PATTERNS)


def unique(schema: Schema, dice: random.Random) -> None:
    """Items have to differ, or not; or there is another schema for them."""
    if dice.randrange(2):
        schema["uniqueItems"] = not schema.get("uniqueItems", False)
    else:
        schema["items"] = {"type": dice.choice(KINDS)}


def property_added(schema: Schema, dice: random.Random) -> None:
    """One more property, which may be required."""
    schema.setdefault("properties", {})["added"] = {"type": dice.choice(("integer", "string"))}
    if dice.randrange(3) == 0:
        schema["required"] = [*schema.get("required", []), "added"]


def property_removed(schema: Schema, dice: random.Random) -> None:
    """One property less; it may be required all the same."""
    if schema.get("properties"):
        del schema["properties"][dice.choice(sorted(schema["properties"]))]


def required(schema: Schema, dice: random.Random) -> None:
    """A property becomes required, or optional."""
    if schema.get("properties"):
        name = dice.choice(sorted(schema["properties"]))
        schema["required"] = sorted({name} ^ set(schema.get("required", [])))
    if not schema.get("required"):
        schema.pop("required", None)


def openness(schema: Schema, dice: random.Random) -> None:
    """Other properties are forbidden, allowed, or have a schema."""
    schema["additionalProperties"] = dice.choice((False, True, {"type": "string"}, {"type": "integer"}))


def listing(schema: Schema, dice: random.Random) -> None:
    """One listed value more or less; or a list where there was none, or none where there was one."""
    listed = schema.get("enum")
    if listed and dice.randrange(4) == 0:
        del schema["enum"]
    elif listed and len(listed) > 1 and dice.randrange(2):
        listed.remove(dice.choice(listed))
    else:
        schema["enum"] = [*(listed or []), *dice.sample(["a", "b", "ab", 1, 2, 3], 2)]


def kind(schema: Schema, dice: random.Random) -> None:
    """Another type, or any."""
    near = {"integer": "number", "number": "integer"}.get(schema.get("type", ""))
    schema["type"] = near if near and dice.randrange(3) else dice.choice(KINDS)
    if dice.randrange(6) == 0:
        del schema["type"]


def nullable(schema: Schema, _: random.Random) -> None:
    """`null` becomes a value, or is one no more."""
    schema["nullable"] = not schema.get("nullable", False)


def format_(schema: Schema, dice: random.Random) -> None:
    """Another format, or none."""
    schema.pop("format", None)
    if dice.randrange(2):
        schema["format"] = dice.choice(("int32", "int64", "uuid", "date", "date-time", "password"))


def alternatives(schema: Schema, dice: random.Random) -> None:
    """The schema within a list of one or two."""
    inner, other = dict(schema), {"type": dice.choice(KINDS)}
    schema.clear()
    key = dice.choice(LISTS)
    schema[key] = [inner, other] if dice.randrange(3) else [inner]


def exception(schema: Schema, dice: random.Random) -> None:
    """A value that is refused, or what was refused is not."""
    if schema.pop("not", None) is None:
        schema["not"] = {"enum": [dice.choice(("a", "ab", 0, 1, 2))]}


def mark(schema: Schema, dice: random.Random) -> None:
    """What is said beside which values are accepted."""
    key = dice.choice(("deprecated", "readOnly", "writeOnly", "default", "description", "title"))
    value = {"default": 1, "description": "Another.", "title": "Another"}.get(key, not schema.get(key, False))
    schema[key] = value


def parameter_added(operation: Any, dice: random.Random) -> None:
    """One more parameter, which may be required."""
    added = {"name": "added", "in": dice.choice(("query", "header")), "schema": {"type": "integer"}}
    operation.setdefault("parameters", []).append({**added, "required": dice.randrange(3) == 0})


def parameter_changed(operation: Any, dice: random.Random) -> None:
    """A parameter is required, optional, or no longer there."""
    told = [one for one in operation.get("parameters", []) if one.get("in") != "path" and "$ref" not in one]
    if told:
        chosen = dice.choice(told)
        if dice.randrange(3):
            chosen["required"] = not chosen.get("required", False)
        else:
            operation["parameters"].remove(chosen)


def body_changed(operation: Any, dice: random.Random) -> None:
    """The body is required, optional, added, or removed."""
    if "requestBody" not in operation:
        content = {"application/json": {"schema": {"type": "string", "maxLength": 4}}}
        operation["requestBody"] = {"content": content, "required": dice.randrange(2) == 0}
    elif dice.randrange(4) == 0:
        del operation["requestBody"]
    elif "$ref" not in operation["requestBody"]:
        operation["requestBody"]["required"] = not operation["requestBody"].get("required", False)


def media_type_changed(operation: Any, dice: random.Random) -> None:
    """One more media type of the body, another one, or a range that has it."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return
    written, told = dice.choice(list(content.items()))
    if dice.randrange(2):
        del content[written]
    content[dice.choice(("application/*", "application/cbor", "text/plain"))] = told


def status_changed(operation: Any, dice: random.Random) -> None:
    """One status more or less."""
    answers = operation["responses"]
    if len(answers) > 1 and dice.randrange(2):
        del answers[dice.choice(sorted(answers))]
    else:
        told = [answer for status, answer in answers.items() if str(status)[0] in "45d"]
        answers[dice.choice(("202", "418", "4XX"))] = copy.deepcopy(told[0]) if told else {"description": "It is so."}


def words_changed(operation: Any, dice: random.Random) -> None:
    """What is told of the operation."""
    key = dice.choice(("summary", "description", "operationId", "deprecated"))
    operation[key] = True if key == "deprecated" else "Another"


def authentication_changed(operation: Any, dice: random.Random) -> None:
    """Everybody may come in, or another way is needed."""
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
