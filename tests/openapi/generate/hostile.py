"""A document whose names and texts try to end every comment and string, and to run."""

from typing import Any

TEXTS = [
    '"""',
    "'''",
    'ends with a quote"',
    "ends with a backslash\\",
    '\\"""; PWNED = 1',
    "*/ throw new Error('pwned'); /*",
    "${globalThis.pwned = 1}",
    "`",
    "two\nlines\r\nand\rmore",
    "\u2028globalThis.pwned = 1",
    "\u202eright to left\u202c",
    "\x00\x1b[2J",
    "\ud800 alone",
    "- an item\n# no heading",
    "<script>alert(1)</script>",
    "",
    "{head}{0}%s",
]
NAMES = [
    *TEXTS,
    "class",
    "None",
    "str",
    "list",
    "dict",
    "Literal",
    "__init__",
    "__proto__",
    "constructor",
    "received",
    "Received",
    "1st",
    "a-b",
    "a.b",
    "a_b",
    "a b",
    'x"]; PWNED = 1 #',
    "größe",
    "名前",
    "a" * 200,
    "interface",
    "function",
    "String",
    "Array",
]


def document() -> dict[str, Any]:
    """An OpenAPI document with each name and each text at every place that generated code may show."""
    schemas = {
        name: {
            "type": "object",
            "title": text,
            "description": text,
            "required": NAMES[index % 3 :: 3],
            "properties": {
                inner: {
                    "description": text,
                    "type": "object",
                    "properties": {inner: {"type": "string", "enum": TEXTS, "description": text, "example": text}},
                }
                for inner in NAMES
            },
        }
        for index, (name, text) in enumerate(zip(NAMES, TEXTS * 3, strict=False))
    }
    schemas |= {f"{name} alias": {"type": "array", "items": {"$ref": _reference(name)}} for name in NAMES}
    return {
        "openapi": "3.0.3",
        "info": {"title": TEXTS[4], "version": TEXTS[5]},
        "paths": {
            f"/{index}": {
                "get": {
                    "operationId": name,
                    "description": name,
                    "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}, "description": name}],
                    "responses": {"200": {"content": {"application/json": {"schema": {"$ref": _reference(name)}}}}},
                }
            }
            for index, name in enumerate(NAMES)
        },
        "components": {"schemas": schemas},
    }


def _reference(name: str) -> str:
    return "#/components/schemas/" + name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
