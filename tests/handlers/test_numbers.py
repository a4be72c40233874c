"""Numbers are read back digit for digit, however they are sent and however they are read."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, JSON, Hub, entry, results_of
from tests.service import Service
from tests.tokens import PATH, asking, bearer, client_of

EVENTS, ANNOTATIONS, REJECTED = "/interaction-events", "/annotations", "/rejected-submissions"

NUMBERS = [
    pytest.param("0.10000000000000001", id="17 digits of a double"),
    pytest.param("0.1000000000000000055511151231257827021181583404541015625", id="each digit of a double"),
    pytest.param("0.10000000000000000001", id="20 decimal places"),
    pytest.param("123456789012345678901234567890.123", id="33 digits"),
    pytest.param("-123456789012345678901234567890.123", id="33 digits and a sign"),
    pytest.param("9007199254740993.0", id="2**53 + 1"),
    pytest.param("1e-400", id="near to zero"),
    pytest.param("-1E+400", id="beyond the largest double"),
    pytest.param("1.7976931348623159e308", id="a little beyond the largest double"),
    pytest.param("4.9406564584124654e-324", id="17 digits of the smallest double"),
    pytest.param("1e511", id="512 characters"),
    pytest.param("0." + "1" * 1098, id="1,100 characters"),
    pytest.param("-0.0", id="minus zero"),
    pytest.param("5e-324", id="the smallest double"),
    pytest.param("1.5e-05", id="a double with an exponent"),
    pytest.param("9" * 1100, id="an integer of 1,100 digits"),
]
LITERALS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][-+]?(0|[1-9][0-9]?|[1-3][0-9]{2}))?", fullmatch=True
)
NESTED = st.recursive(
    LITERALS, lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda items: f"[{','.join(items)}]")
)


def exactly(text: str | bytes) -> Any:
    """The value of JSON with its numbers as written, not rounded to a double."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def with_metadata(body: dict[str, Any], metadata: str) -> str:
    """`body` as JSON with the text of its metadata as given."""
    return f'{json.dumps(body)[:-1]}, "metadata": {metadata}}}'


def created(hub: Hub, body: str, path: str = EVENTS) -> str:
    """The id of a new row."""
    response = hub.post(path, content=body, headers=JSON)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def replayed(hub: Hub, metadata: str) -> str:
    """The id of the event that is stored by a replay of its rejection."""
    name = f"t{uuid4().hex[:12]}.replayed"
    refused = hub.post(EVENTS, content=with_metadata(EVENT | {"event_type": name}, metadata), headers=JSON)
    assert refused.status_code == 422
    hub.manifest([entry(name)])
    (result,) = results_of(hub.post(f"{REJECTED}/replay", {"code": "event_type_not_registered"}))
    return str(result["id"])


def read_back(hub: Hub, path: str = EVENTS) -> list[Any]:
    """The values of the last row of `path`: by id, in the list, in a file of NDJSON."""
    listed = exactly(hub.get(path, limit=1000).text)["items"][-1]
    line = hub.get(f"{path}/export", format="ndjson").content.splitlines()[-1]
    return [exactly(hub.get(f"{path}/{listed['id']}").text), listed, exactly(line)]


def cells(hub: Hub, path: str = EVENTS) -> dict[str, str]:
    """The cells of the last row of a file of CSV."""
    text = hub.get(f"{path}/export", format="csv").text
    return list(csv.DictReader(io.StringIO(text, newline="")))[-1]


def assert_kept(hub: Hub, metadata: str, path: str = EVENTS) -> None:
    """The last row of `path` has `metadata`, however it is read."""
    values = [row["metadata"] for row in read_back(hub, path)]
    assert [*values, exactly(cells(hub, path)["metadata"])] == [exactly(metadata)] * 4


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(NESTED, min_size=1, max_size=20))
def test_any_number_is_read_back_digit_for_digit(hub: Hub, texts: list[str]) -> None:
    """By id, in the list, in both files, and after the replay of a rejected event; in arrays of arrays too."""
    metadata = f'{{"numbers": [{",".join(texts)}]}}'
    created(hub, with_metadata(EVENT, metadata))
    assert_kept(hub, metadata)
    replayed(hub, metadata)
    assert_kept(hub, metadata)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_at_the_limits_is_read_back(hub: Hub, number: str) -> None:
    """In an object and in nested arrays, of an event, of an annotation, and after a replay."""
    metadata = f'{{"n": {number}, "deep": [[{number}, {{"x": [{number}]}}]]}}'
    created(hub, with_metadata(EVENT, metadata))
    assert_kept(hub, metadata)
    created(hub, with_metadata(ANNOTATION, metadata), ANNOTATIONS)
    assert_kept(hub, metadata, ANNOTATIONS)
    replayed(hub, metadata)
    assert_kept(hub, metadata)


ALL = "[" + ", ".join(str(case.values[0]) for case in NUMBERS) + "]"


def _as_array(hub: Hub, path: str, items: list[str]) -> Any:
    return hub.post(f"{path}/batch", content=f"[{','.join(items)}]", headers=JSON)


def _as_lines(hub: Hub, path: str, items: list[str]) -> Any:
    return hub.lines("\n".join(items), path)


@pytest.mark.parametrize("path", [EVENTS, ANNOTATIONS])
@pytest.mark.parametrize("send", [_as_array, _as_lines], ids=["an array", "NDJSON"])
def test_numbers_in_a_batch_are_read_back(hub: Hub, send: Callable[..., Any], path: str) -> None:
    """Each item has its own digits, beside an item that is refused."""
    body = EVENT if path == EVENTS else ANNOTATION
    refused = with_metadata(body, '{"n": 1e999}')
    results = results_of(send(hub, path, [refused, with_metadata(body, f'{{"n": {ALL}}}')]))
    assert [result["status"] for result in results] == ["rejected", "created"]
    assert results[0]["code"] == "unstorable_value"
    assert_kept(hub, f'{{"n": {ALL}}}', path)


def test_numbers_in_additional_fields_are_read_back(hub: Hub) -> None:
    """Beside the columns, and in the cell of CSV for all of them."""
    identifier = created(hub, json.dumps(EVENT))
    with psycopg.connect(hub.service.database_url) as connection:
        change = "UPDATE interaction_events SET additional_fields = %s WHERE id = %s"
        connection.execute(change, [f'{{"extra": {ALL}}}', identifier])
    assert [row["extra"] for row in read_back(hub)] == [exactly(ALL)] * 3
    assert exactly(cells(hub)["additional_fields"]) == {"extra": exactly(ALL)}


def test_numbers_are_read_back_in_version_2(newest: Service) -> None:
    """By id, in the list, and in a file of NDJSON."""
    metadata = f'{{"n": {ALL}}}'
    headers = bearer(client_of(newest).token())
    with asking(newest) as client:
        client.headers.update(headers)
        response = client.post(PATH, content=with_metadata(EVENT, metadata), headers=JSON)
        assert response.status_code == 201, response.text
        (item,) = exactly(client.get(PATH).text)["items"]
        whole = exactly(client.get(f"{PATH}/{item['id']}").text)
        line = exactly(client.get(f"{PATH}/export", params={"format": "ndjson"}).content)
    assert [row["metadata"] for row in (item, whole, line)] == [exactly(metadata)] * 3


@pytest.mark.parametrize(
    ("other", "status"),
    [
        pytest.param("0.100000000000000010", 201, id="the same number"),
        pytest.param("10000000000000001e-17", 201, id="with an exponent"),
        pytest.param("0.1", 409, id="the nearest double"),
    ],
)
def test_numbers_under_one_key_are_compared_by_value(hub: Hub, other: str, status: int) -> None:
    """The same value is a duplicate; another value, which rounds to the same double, is a conflict."""
    for number, expected in (("0.10000000000000001", 201), (other, status)):
        body = with_metadata(EVENT, f'{{"n": {number}}}')
        response = hub.post(EVENTS, content=body, headers=JSON | {"Idempotency-Key": "k"})
        assert response.status_code == expected, response.text


@pytest.mark.parametrize(
    "number", ["1E+400", "-1e510", "1.5e-400", pytest.param("9" * 1100, id="an integer of 1,100 digits")]
)
def test_a_file_that_was_exported_can_be_sent_again(hub: Hub, number: str) -> None:
    """Its numbers may be spelt otherwise than they were sent."""
    created(hub, with_metadata(EVENT, f'{{"n": {number}}}'))
    line = hub.get(f"{EVENTS}/export", format="ndjson").text.splitlines()[-1]
    metadata = line.partition('"metadata":')[2].partition("}")[0] + "}"
    created(hub, with_metadata(EVENT, metadata))
    assert_kept(hub, f'{{"n": {number}}}')


def test_doubles_are_spelt_as_before(hub: Hub) -> None:
    """Clients that compare texts see no change for numbers that a double holds."""
    identifier = created(hub, with_metadata(EVENT, '{"n": [0.0000001, 0.000015, 0.10, 1E2, 0.30000000000000004]}'))
    text = hub.get(f"{EVENTS}/{identifier}").text
    assert '"n":[1e-07,1.5e-05,0.1,100.0,0.30000000000000004]' in text
