"""Lists: each row once, by any filter, during writes, and by every operation that reads them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from db import pages
from handlers.lists.cursors import position_cursor
from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, BASE, JSON, Hub, results_of
from tests.handlers.lists.conftest import ANNOTATIONS, EVENTS, exported, ids, stored

ACTOR = "0d4f6f0e-9a5e-4c43-8f0e-3a1c5b7d9e22"


# Pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_each_row_is_on_one_page_in_order(hub: Hub, limit: int) -> None:
    """For every limit, and no page exceeds it."""
    expected = stored(hub, *[{}] * 7)
    identifiers: list[str] = []
    cursor: dict[str, str] = {}
    has_more = True
    while has_more:
        page = hub.get(EVENTS, limit=limit, **cursor).json()
        assert len(page["items"]) <= limit
        identifiers += ids(page["items"])
        cursor, has_more = {"cursor": page["next_cursor"]}, page["has_more"]
    assert identifiers == expected


def test_the_last_cursor_finds_later_rows(hub: Hub) -> None:
    """Of an empty list too; rows already read are not repeated."""
    page = hub.get(EVENTS).json()
    assert (page["items"], page["has_more"]) == ([], False)
    for _ in range(3):
        new = stored(hub, {}, {})
        page = hub.get(EVENTS, cursor=page["next_cursor"]).json()
        assert ids(page["items"]) == new


def test_a_page_has_100_items_by_default(hub: Hub) -> None:
    """And has_more is true for the 101st row."""
    stored(hub, *[{}] * 101)
    page = hub.get(EVENTS).json()
    assert (len(page["items"]), page["has_more"]) == (100, True)


def test_a_page_scans_a_limited_number_of_rows(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rare match gives pages without items, but the cursors lead to all matches."""
    monkeypatch.setattr(pages, "SCANNED_ROWS", 3)
    identifiers = stored(hub, {}, {"actor_id": ACTOR}, {}, {}, {}, {}, {}, {"actor_id": ACTOR})
    page = hub.get(EVENTS, actor_id=ACTOR).json()
    assert (ids(page["items"]), page["has_more"]) == ([identifiers[1]], True)
    page = hub.get(EVENTS, actor_id=ACTOR, cursor=page["next_cursor"]).json()
    assert (page["items"], page["has_more"]) == ([], True)
    assert ids(hub.items(EVENTS, actor_id=ACTOR)) == [identifiers[1], identifiers[7]]
    assert ids(exported(hub, EVENTS, "ndjson", actor_id=ACTOR)) == [identifiers[1], identifiers[7]]


@pytest.mark.parametrize("form", ["list", "ndjson", "csv"])
def test_events_are_found_by_each_filter(hub: Hub, form: str) -> None:
    """Alone and together; from is inclusive, until exclusive; the case of an id and the zone do not matter."""
    identifiers = stored(
        hub,
        {"occurred_at": "2026-01-01T00:00:00Z", "event_type": "viewed"},
        {"occurred_at": "2026-01-02T00:00:00Z", "actor_id": ACTOR},
        {"occurred_at": "2026-01-03T00:00:00Z", "event_type": "viewed", "actor_id": ACTOR},
    )

    def indexes(**parameters: Any) -> list[int]:
        rows = hub.items(EVENTS, **parameters) if form == "list" else exported(hub, EVENTS, form, **parameters)
        return [identifiers.index(row["id"]) for row in rows]

    assert indexes() == [0, 1, 2]
    assert indexes(event_type="viewed") == [0, 2]
    assert indexes(actor_id=ACTOR.upper()) == [1, 2]
    assert indexes(event_type="viewed", actor_id=ACTOR) == [2]
    assert indexes(widget_id=EVENT["widget_id"]) == [0, 1, 2]
    assert indexes(widget_id=str(uuid4())) == []
    assert indexes(event_type="x' OR 1=1 --") == []
    assert indexes(occurred_from="2026-01-02T01:00:00+01:00") == [1, 2]
    assert indexes(occurred_until="2026-01-02T00:00:00Z") == [0]
    assert indexes(occurred_from="2026-01-02T00:00:00Z", occurred_until="2026-01-03T00:00:00Z") == [1]
    now = datetime.now(UTC)
    assert indexes(received_since=(now - timedelta(minutes=1)).isoformat()) == [0, 1, 2]
    assert indexes(received_since=(now + timedelta(minutes=1)).isoformat()) == []
    assert indexes(received_since="0001-01-01T00:00:00Z") == [0, 1, 2]


@pytest.mark.parametrize("form", ["list", "ndjson", "csv"])
def test_annotations_are_found_by_each_filter(hub: Hub, form: str) -> None:
    """By category, by event, by actor."""
    event_id = hub.event().json()["id"]
    items = [{"category": "issue"}, {"event_id": event_id}, {"actor_id": ACTOR, "event_id": event_id}]
    identifiers = [result["id"] for result in results_of(hub.batch([ANNOTATION | item for item in items], ANNOTATIONS))]

    def indexes(**parameters: Any) -> list[int]:
        rows = (
            hub.items(ANNOTATIONS, **parameters) if form == "list" else exported(hub, ANNOTATIONS, form, **parameters)
        )
        return [identifiers.index(row["id"]) for row in rows]

    assert indexes(category="issue") == [0]
    assert indexes(event_id=event_id) == [1, 2]
    assert indexes(event_id=event_id, actor_id=ACTOR) == [2]
    assert indexes(widget_id=str(uuid4())) == []
    assert indexes(occurred_from="9999-12-31T23:59:59Z") == []


# Invalid requests


@pytest.mark.parametrize("path", [EVENTS, ANNOTATIONS, "/rejected-submissions", "/event-types", "/widgets"])
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1001", "limit=-1", "limit=1.0", "limit=", "limit=x", "limit=01", "limit=9" + "9" * 400),
        *("limt=5", "x=%00", "limit=5&limit=5", "cursor=a&cursor=b", "%ff=1", "limit=%EF%BC%95", "limit=5;limit=6"),
        *("cursor=", "cursor=x", "cursor=MTo0Mg", "cursor=%00", "cursor=" + "A" * 401, "cursor=LTE", "hub_id=x"),
        *("cursor=cG9zaXRpb24gLTE", "cursor=bmFtZSAA", "cursor=aWQgeA", "cursor=cG9zaXRpb24g4pGg", "[limit]=5"),
        "&".join(f"x{number}=1" for number in range(60)),
    ],
)
def test_an_invalid_parameter_is_refused(hub: Hub, path: str, query: str) -> None:
    """422 with the common error body, which names the invalid parameter; the service guesses nothing."""
    response = hub.client.get(f"{BASE}{path}?{query}")
    assert response.status_code == 422, response.text
    assert response.json().keys() == {"error", "help"}
    error = response.json()["error"]
    assert any(word in error for word in ("limit", "limt", "cursor", "query", "x", "hub_id"))


@pytest.mark.parametrize(
    "query",
    [
        *("widget_id=x", "widget_id=%7B5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11%7D", "event_type=", "event_type=%00"),
        *("occurred_from=now", "occurred_from=2026-01-01", "occurred_until=infinity", "received_since=1e9"),
        *("event_type=" + "x" * 201, "event_type=%ED%A0%80", "category=praise", "format=csv"),
    ],
)
def test_an_invalid_filter_is_refused(hub: Hub, query: str) -> None:
    """422, for a list and for a file."""
    assert hub.client.get(f"{BASE}{EVENTS}?{query}").status_code == 422
    assert hub.client.get(f"{BASE}{EVENTS}/export?format=ndjson&{query}").status_code == 422


@pytest.mark.parametrize("identifier", ["nope", "%00", EVENT["widget_id"], "{" + EVENT["widget_id"] + "}", "batch"])
@pytest.mark.parametrize("path", [EVENTS, ANNOTATIONS, "/rejected-submissions"])
def test_an_unknown_id_is_not_found(hub: Hub, path: str, identifier: str) -> None:
    """404, or 405 if the path is that of another operation."""
    response = hub.client.get(f"{BASE}{path}/{identifier}")
    assert response.status_code == (405 if identifier == "batch" and path != "/rejected-submissions" else 404)
    assert response.json().keys() == {"error", "help"}


@pytest.mark.parametrize(
    ("line", "status", "intended"),
    [
        (f"GET {EVENTS}/exports", 404, f"{EVENTS}/export"),
        (f"POST {EVENTS}/batches", 405, f"{EVENTS}/batch"),
        ("POST /rejected-submissions/replays", 405, "/rejected-submissions/replay"),
    ],
)
def test_the_operation_that_is_meant_is_named(hub: Hub, line: str, status: int, intended: str) -> None:
    """Where the path is that of an id."""
    method, path = line.split()
    response = hub.client.request(method, BASE + path)
    assert response.status_code == status
    assert response.json()["help"].startswith(f"Did you mean {BASE}{intended}? ")


# Values


METADATA = [
    '{"n": 18446744073709551616, "m": -1%s, "x": 1e308, "y": 5e-324, "z": 0.1, "v": 1e23, "w": -0.0}' % ("0" * 127),
    '{"deep": [[[{"a": [null, true, "\\u2028 \\ud83d\\ude00 é"]}]]], "": ""}',
    '{"php": 0.10000000000000001, "c": 0.1000000000000000055511151231257827021181583404541015625}',
    '{"deep": [[{"x": -123456789012345678901234567890.123}]]}',
    '{"small": 1e-400, "large": [1e400, -1e400], "odd": 9007199254740993.0, "big": 18446744073709551616}',
    "{}",
]


def exactly(text: str | bytes) -> Any:
    """The value of JSON with its numbers as written, not rounded to a double."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def test_metadata_is_read_back_as_it_was_sent(hub: Hub) -> None:
    """Every digit and character: by id, in the list, in NDJSON and in CSV."""
    items = [f'{json.dumps(EVENT)[:-1]}, "metadata": {metadata}}}' for metadata in METADATA]
    answer = hub.post(f"{EVENTS}/batch", content=f"[{','.join(items)}]", headers=JSON)
    identifiers, expected = (
        [result["id"] for result in results_of(answer)],
        [exactly(metadata) for metadata in METADATA],
    )
    assert [exactly(hub.get(f"{EVENTS}/{identifier}").text)["metadata"] for identifier in identifiers] == expected
    assert [item["metadata"] for item in exactly(hub.get(EVENTS).text)["items"]] == expected
    lines = hub.get(f"{EVENTS}/export", format="ndjson").content.splitlines()
    assert [exactly(line)["metadata"] for line in lines] == expected
    assert [exactly(row["metadata"]) for row in exported(hub, EVENTS, "csv")] == expected


def test_fields_without_a_column_are_read_back(hub: Hub) -> None:
    """Fields of an edited contract are read with the others; CSV has a column for all of them."""
    identifier = hub.event().json()["id"]
    with psycopg.connect(hub.service.database_url) as connection:
        change = "UPDATE interaction_events SET additional_fields = %s WHERE id = %s"
        connection.execute(change, [Jsonb({"session_ref": "s-1"}), identifier])
    assert hub.get(f"{EVENTS}/{identifier}").json()["session_ref"] == "s-1"
    assert [row["session_ref"] for row in exported(hub, EVENTS, "ndjson")] == ["s-1"]
    assert [json.loads(row["additional_fields"]) for row in exported(hub, EVENTS, "csv")] == [{"session_ref": "s-1"}]


# Registries


@pytest.mark.parametrize("path", ["/event-types", "/widgets"])
def test_registries_are_read_page_by_page(hub: Hub, path: str) -> None:
    """Each entry once, in order, and the last cursor finds nothing."""
    whole, by_two = hub.items(path), hub.items(path, limit=2)
    assert whole == by_two
    keys = [str(item["name" if path == "/event-types" else "id"]) for item in whole]
    assert keys == sorted(set(keys))
    assert EVENT["event_type" if path == "/event-types" else "widget_id"] in keys
    page = hub.get(path, limit=1000).json()
    assert hub.get(path, cursor=page["next_cursor"]).json()["items"] == []


@pytest.mark.parametrize("path", [EVENTS, ANNOTATIONS, "/rejected-submissions"])
def test_a_cursor_of_another_database_is_refused(hub: Hub, path: str) -> None:
    """422 says to begin with the first item; the service cannot know which rows the client has."""
    response = hub.get(path, cursor=position_cursor(10**19 - 1))
    assert response.status_code == 422
    assert response.json()["error"] == "cursor is not one that this list returned"
    assert "leave cursor out to begin with the first item" in response.json()["help"]
