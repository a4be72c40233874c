"""Metadata schemas: which of those that hubs write are accepted, and what events are told by them."""

import json
import time
from typing import Any

import pytest

from tests.examples import EVENT
from tests.handlers.conftest import BASE, JSON, Hub, entry

PATH = "/hub-capability-manifest"


def nested(levels: int) -> str:
    """A schema of so many levels, as text."""
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
def test_a_hostile_schema_is_refused_fast_and_never_kept(hub: Hub, name: str, schema: str) -> None:
    """400, 413 or 422 within two seconds; nothing is registered, and others are served on."""
    body = json.dumps({"event_types": [entry(name, metadata_schema=0)], "widgets": []})
    started = time.monotonic()
    refused = hub.client.put(
        BASE + PATH, content=body.replace('"metadata_schema": 0', f'"metadata_schema": {schema}'), headers=JSON
    )
    assert time.monotonic() - started < 2
    assert refused.status_code in (400, 413, 422), refused.text
    assert refused.json().keys() == {"error", "help"}
    assert len(refused.json()["error"]) <= 4000
    assert hub.get(PATH).status_code == 404
    assert hub.event(event_type=name).status_code == 422
    assert hub.event().status_code == 201


def test_a_fault_of_a_schema_is_told_where_it_is(hub: Hub, prefix: str) -> None:
    """Of every type, by where it stands in the manifest."""
    refused = hub.manifest(
        [
            entry(f"{prefix}.a", metadata_schema={"type": "object"}),
            entry(f"{prefix}.b", metadata_schema={"type": "object", "properties": {"a": {"maxLenght": 3}}}),
            entry(f"{prefix}.c", metadata_schema={}),
        ]
    )
    assert refused.status_code == 422
    first, second = refused.json()["error"].split("; event_types")
    assert first.startswith("event_types/1/metadata_schema/properties/a/maxLenght: ")
    assert second.startswith("/2/metadata_schema: ")


def test_a_pattern_is_run_in_linear_time(hub: Hub, name: str) -> None:
    """What would take for ever by backtracking does not: each event is answered at once."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a|a)*(a|a)*$"}}}
    assert hub.manifest([entry(name, metadata_schema=schema)]).status_code == 200
    started = time.monotonic()
    answer = hub.event(event_type=name, metadata={"a": "a" * 60_000 + "b"})
    assert answer.status_code == 422
    assert time.monotonic() - started < 2


# What events of a type with a schema are told


def test_metadata_is_judged_by_the_schema_of_its_type(hub: Hub, name: str) -> None:
    """422 names the field in an event alone; in a batch its pointer, beside events that are stored."""
    schema = {
        "type": "object",
        "required": ["score"],
        "properties": {"score": {"type": "integer", "maximum": 10}, "tags": {"items": {"type": "string"}}},
    }
    hub.manifest([entry(name, metadata_schema=schema)])

    def event(metadata: Any) -> dict[str, Any]:
        return EVENT | {"event_type": name} | ({} if metadata is None else {"metadata": metadata})

    refused = hub.post("/interaction-events", event({"score": 11}))
    assert refused.status_code == 422
    assert "metadata/score is above 10" in refused.json()["error"]
    told = hub.batch(
        [event(x) for x in ({"score": 10}, {"score": 11}, {}, None, {"score": 1, "tags": ["a", 5]})]
    ).json()
    assert [one["status"] for one in told["results"]] == ["created", *["rejected"] * 4]
    pointers = [one.get("pointer") for one in told["results"]]
    assert pointers == [None, "/metadata/score", "/metadata/score", "/metadata/score", "/metadata/tags/1"]
    assert [row["metadata"] for row in hub.rows()] == [{"score": 10}]
    assert hub.event(metadata={"score": 11}).status_code == 201


def test_a_pointer_that_is_longer_than_answers_are_is_left_out(hub: Hub, name: str) -> None:
    """A fault under a name of 5,000 characters is told all the same, of an event and of a schema."""
    long = "x" * 5000
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    hub.manifest([entry(name, metadata_schema=schema)])
    answer = hub.batch([EVENT | {"event_type": name, "metadata": {long: 5}}])
    (told,) = answer.json()["results"]
    assert (answer.status_code, told["status"], "pointer" in told) == (422, "rejected", False)
    assert hub.items("/rejected-submissions")[0]["error"] == told["error"]
    unknown = {"type": "object", "properties": {long: {"x": 1}}}
    refused = hub.manifest([entry(f"{name}.b", metadata_schema=unknown)])
    assert (refused.status_code, len(refused.json()["error"])) == (422, 4000)
