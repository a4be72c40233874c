"""Metadata schemas: which ones hubs may register, and how they validate events."""

import json
import time
from decimal import Decimal
from typing import Any

import httpx
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


# Numbers that a double does not hold


VERDICTS = [
    ('"minimum": 0.10000000000000001', "0.10000000000000001", True),
    ('"minimum": 0.10000000000000001', "0.1", False),
    ('"minimum": 0.1', "0.10000000000000001", True),
    ('"minimum": 1e-400', "0", False),
    ('"maximum": 0.1', "0.10000000000000001", False),
    ('"maximum": 0.10000000000000001', "0.100000000000000010", True),
    ('"maximum": 9007199254740992', "9007199254740993.0", False),
    ('"maximum": 5', "1e400", False),
    ('"exclusiveMinimum": 0', "1e-400", True),
    ('"exclusiveMinimum": 0.1', "0.10000000000000001", True),
    ('"exclusiveMaximum": 0.10000000000000001', "0.10000000000000001", False),
    ('"multipleOf": 0.1', "123456789012345678901234567890.1", True),
    ('"multipleOf": 0.1', "123456789012345678901234567890.12", False),
    ('"multipleOf": 0.10000000000000001', "0.20000000000000002", True),
    ('"multipleOf": 0.10000000000000001', "0.2", False),
    ('"enum": [0.10000000000000001, 2]', "0.10000000000000001", True),
    ('"enum": [0.10000000000000001, 2]', "0.1", False),
    ('"const": 0.10000000000000001', "0.100000000000000010", True),
    ('"const": 0.10000000000000001', "0.1", False),
    ('"const": 0.1', "0.10000000000000001", False),
    ('"type": "integer"', "9007199254740993.0", True),
    ('"type": "integer"', "1e400", True),
    ('"type": "integer"', "0.10000000000000001", False),
    ('"type": "number"', "1e-400", True),
    ('"type": "string"', "0.10000000000000001", False),
]
"""A keyword with its value, the number in an event, and whether the event is stored."""


def with_schema(hub: Hub, name: str, schema: str) -> httpx.Response:
    """The response to a manifest with an event type that has the text `schema`."""
    body = json.dumps({"event_types": [entry(name, metadata_schema=0)], "widgets": []})
    content = body.replace('"metadata_schema": 0', f'"metadata_schema": {schema}')
    return hub.client.put(BASE + PATH, content=content, headers=JSON)


@pytest.mark.parametrize(("keyword", "number", "is_stored"), VERDICTS)
def test_numbers_are_compared_digit_for_digit(hub: Hub, name: str, keyword: str, number: str, is_stored: bool) -> None:
    """Those of the schema and those of the event; the hub reads its schema back as it was sent."""
    schema = f'{{"type": "object", "properties": {{"n": {{{keyword}}}}}}}'
    assert with_schema(hub, name, schema).status_code == 200
    manifest = json.loads(hub.get(PATH).text, parse_float=Decimal)
    assert manifest["event_types"][0]["metadata_schema"] == json.loads(schema, parse_float=Decimal)
    body = json.dumps(EVENT | {"event_type": name})[:-1] + f', "metadata": {{"n": {number}}}}}'
    response = hub.post("/interaction-events", content=body, headers=JSON)
    assert response.status_code == (201 if is_stored else 422), response.text
    if not is_stored:
        assert "metadata/n" in response.json()["error"]


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        pytest.param('{"minimum": 0.2, "maximum": 0.10000000000000001}', "nothing satisfies both", id="an empty range"),
        pytest.param('{"maximum": 1e400}', "maximum", id="a limit that is too large"),
        pytest.param('{"enum": [0.10000000000000001], "maximum": 0.1}', "0.10000000000000001", id="a value refused"),
        pytest.param('{"minLength": 1.00000000000000001}', "minLength", id="a count that is no integer"),
        pytest.param('{"multipleOf": -0.10000000000000001}', "multipleOf", id="a negative step"),
    ],
)
def test_a_faulty_schema_with_such_numbers_is_refused(hub: Hub, name: str, schema: str, error: str) -> None:
    """With 422 and an error that names the keyword or the value."""
    response = with_schema(hub, name, f'{{"type": "object", "properties": {{"n": {schema}}}}}')
    assert response.status_code == 422, response.text
    assert error in response.json()["error"]


def test_a_new_version_is_compared_digit_for_digit(hub: Hub, name: str) -> None:
    """A limit that rounds to the same double, but is lower, narrows the schema; the error has each digit."""
    schema = '{{"type": "object", "properties": {{"n": {{"type": "number", "maximum": {}}}}}}}'.format
    assert with_schema(hub, name, schema("0.10000000000000001")).status_code == 200
    assert with_schema(hub, name, schema("0.100000000000000010")).status_code == 200
    response = with_schema(hub, name, schema("0.1000000000000000099"))
    assert response.status_code == 409, response.text
    assert "0.10000000000000001" in response.json()["error"]
