"""Metadata schemas: which ones hubs may register, and how they validate events."""

import json
import time
from typing import Any

import pytest

from tests.examples import EVENT
from tests.handlers.conftest import BASE, JSON, Hub, entry

PATH = "/hub-capability-manifest"


def nested(levels: int) -> str:
    """A schema with this number of levels, as JSON text."""
    return '{"type":"object","properties":{"a":' * levels + "{}" + "}}" * levels


HOSTILE = {
    "deep": nested(100_000),
    "a little too deep": nested(13),
    "large": json.dumps({"type": "object", "description": "x" * 17_000}),
    "wide": json.dumps({"type": "object", "properties": {f"f{number}": {} for number in range(401)}}),
    "nested quantifiers": json.dumps({"type": "object", "properties": {"a": {"pattern": "^(a+)+\\1$"}}}),
    "lookahead": json.dumps({"type": "object", "properties": {"a": {"pattern": "^(?=(a|aa)+$).*"}}}),
    "counts": json.dumps({"type": "object", "properties": {"a": {"pattern": "((a{0,999}){0,999}){0,999}"}}}),
    "classes": json.dumps({"type": "object", "properties": {f"a{n}": {"pattern": "\\w{100}"} for n in range(50)}}),
    "patternProperties": json.dumps({"type": "object", "patternProperties": {"(a+)+$": {"$ref": "#"}}}),
    "reference": json.dumps({"type": "object", "$ref": "http://localhost:1/x"}),
    "circle": json.dumps({"type": "object", "$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
    "no schema": '{"type": "objekt"}',
    "number": '{"type": "object", "minProperties": 1e400}',
    "duplicate": '{"type": "object", "type": "object"}',
    "NaN": '{"type": "object", "minProperties": NaN}',
}


@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_schema_is_refused_fast_and_never_registered(hub: Hub, name: str, schema: str) -> None:
    """400, 413 or 422 within two seconds; nothing is registered, and other requests are served."""
    body = json.dumps({"event_types": [entry(name, metadata_schema=0)], "widgets": []})
    started = time.monotonic()
    response = hub.client.put(
        BASE + PATH, content=body.replace('"metadata_schema": 0', f'"metadata_schema": {schema}'), headers=JSON
    )
    assert time.monotonic() - started < 2
    assert response.status_code in (400, 413, 422), response.text
    assert response.json().keys() == {"error", "help"}
    assert len(response.json()["error"]) <= 4000
    assert hub.get(PATH).status_code == 404
    assert hub.event(event_type=name).status_code == 422
    assert hub.event().status_code == 201


def test_the_error_names_the_location_of_each_fault(hub: Hub, prefix: str) -> None:
    """Faults in several schemas are listed with their paths in the manifest."""
    response = hub.manifest(
        [
            entry(f"{prefix}.a", metadata_schema={"type": "object"}),
            entry(f"{prefix}.b", metadata_schema={"type": "object", "properties": {"a": {"maxLenght": 3}}}),
            entry(f"{prefix}.c", metadata_schema={}),
        ]
    )
    assert response.status_code == 422
    first, second = response.json()["error"].split("; event_types")
    assert first.startswith("event_types/1/metadata_schema/properties/a/maxLenght: ")
    assert second.startswith("/2/metadata_schema: ")


def test_a_pattern_is_run_in_linear_time(hub: Hub, name: str) -> None:
    """A pattern on which backtracking would not end: each event gets its response at once."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a|a)*(a|a)*$"}}}
    assert hub.manifest([entry(name, metadata_schema=schema)]).status_code == 200
    started = time.monotonic()
    answer = hub.event(event_type=name, metadata={"a": "a" * 60_000 + "b"})
    assert answer.status_code == 422
    assert time.monotonic() - started < 2


# Events of a type with a schema


def test_metadata_is_validated_by_the_schema_of_its_type(hub: Hub, name: str) -> None:
    """The 422 of a single event names the field; a batch returns its pointer, and stores the valid events."""
    schema = {
        "type": "object",
        "required": ["score"],
        "properties": {"score": {"type": "integer", "maximum": 10}, "tags": {"items": {"type": "string"}}},
    }
    hub.manifest([entry(name, metadata_schema=schema)])

    def event(metadata: Any) -> dict[str, Any]:
        return EVENT | {"event_type": name} | ({} if metadata is None else {"metadata": metadata})

    response = hub.post("/interaction-events", event({"score": 11}))
    assert response.status_code == 422
    assert "metadata/score is above 10" in response.json()["error"]
    body = hub.batch(
        [event(x) for x in ({"score": 10}, {"score": 11}, {}, None, {"score": 1, "tags": ["a", 5]})]
    ).json()
    assert [result["status"] for result in body["results"]] == ["created", *["rejected"] * 4]
    pointers = [result.get("pointer") for result in body["results"]]
    assert pointers == [None, "/metadata/score", "/metadata/score", "/metadata/score", "/metadata/tags/1"]
    assert [row["metadata"] for row in hub.rows()] == [{"score": 10}]
    assert hub.event(metadata={"score": 11}).status_code == 201


def test_a_pointer_longer_than_an_error_may_be_is_left_out(hub: Hub, name: str) -> None:
    """A fault under a name of 5,000 characters is still reported, for an event and for a schema."""
    long = "x" * 5000
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    hub.manifest([entry(name, metadata_schema=schema)])
    answer = hub.batch([EVENT | {"event_type": name, "metadata": {long: 5}}])
    (result,) = answer.json()["results"]
    assert (answer.status_code, result["status"], "pointer" in result) == (422, "rejected", False)
    assert hub.items("/rejected-submissions")[0]["error"] == result["error"]
    unknown = {"type": "object", "properties": {long: {"x": 1}}}
    response = hub.manifest([entry(f"{name}.b", metadata_schema=unknown)])
    assert (response.status_code, len(response.json()["error"])) == (422, 4000)
