"""Documents of one operation each, cut from a document with many."""

import json
import re
from collections.abc import Iterator
from typing import Any

from openapi.contract import METHODS

_REFERENCE = re.compile(r'"#/components/([^"/]+)/([^"/]+)"')


def slices(raw: dict[str, Any], has_answers: bool = True) -> Iterator[dict[str, Any]]:
    """For each operation of the document `raw`: a document with that operation alone and the components it needs."""
    responses = {} if has_answers else {"responses": {"204": {"description": "Done."}}}
    for path, item in raw["paths"].items():
        shared = {key: inner for key, inner in item.items() if key not in METHODS}
        for method in filter(item.__contains__, METHODS):
            rest = {key: inner for key, inner in raw.items() if key not in ("paths", "components")}
            paths = {path: {**shared, method: {**item[method], **responses}}}
            yield {**rest, "paths": paths, "components": _needed(raw.get("components", {}), paths)}


def _needed(components: dict[str, Any], start: Any) -> dict[str, Any]:
    """The `components` that `start` refers to, and all security schemes."""
    needed = {"securitySchemes": components.get("securitySchemes", {})}
    waiting = [start]
    while waiting:
        for kind, name in sorted(set(_REFERENCE.findall(json.dumps(waiting.pop())))):
            if name not in needed.setdefault(kind, {}):
                needed[kind][name] = components[kind][name]
                waiting.append(components[kind][name])
    return needed
