"""Events of a hub, and the rows of a list or a file, for the tests of lists."""

import csv
import io
import json
from typing import Any

from tests.examples import EVENT
from tests.handlers.conftest import Hub, results_of

EVENTS, ANNOTATIONS = "/interaction-events", "/annotations"


def ids(items: list[dict[str, Any]]) -> list[str]:
    """The ids of `items`."""
    return [item["id"] for item in items]


def stored(hub: Hub, *fields: dict[str, Any]) -> list[str]:
    """The ids of events with `fields`."""
    return [result["id"] for result in results_of(hub.batch([EVENT | changes for changes in fields]))]


def exported(hub: Hub, path: str, form: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of a file."""
    response = hub.get(f"{path}/export", format=form, **parameters)
    assert response.status_code == 200, response.text
    name = path.removeprefix("/")
    assert response.headers["content-disposition"] == f'attachment; filename="{name}.{form}"'
    if form == "csv":
        return list(csv.DictReader(io.StringIO(response.text, newline="")))
    return [json.loads(line) for line in response.content.splitlines()]
