"""Lists: each row once, by any filter, whatever is written meanwhile and whichever way a hub asks."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from db import pages
from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, BASE, JSON, Hub, results_of
from tests.handlers.lists.conftest import ANNOTATIONS, EVENTS, exported, ids, stored

ACTOR = "0d4f6f0e-9a5e-4c43-8f0e-3a1c5b7d9e22"


# Pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_each_row_is_on_one_page_in_its_order(hub: Hub, limit: int) -> None:
    """Whatever the limit, and no page has more."""
    wanted = stored(hub, *[{}] * 7)
    found: list[str] = []
    cursor: dict[str, str] = {}
    has_more = True
    while has_more:
        page = hub.get(EVENTS, limit=limit, **cursor).json()
        assert len(page["items"]) <= limit
        found += ids(page["items"])
        cursor, has_more = {"cursor": page["next_cursor"]}, page["has_more"]
    assert found == wanted


def test_the_last_cursor_finds_what_comes_later(hub: Hub) -> None:
    """Of an empty list, too; and what was read before is not told again."""
    page = hub.get(EVENTS).json()
    assert (page["items"], page["has_more"]) == ([], False)
    for _ in range(3):
        new = stored(hub, {}, {})
        page = hub.get(EVENTS, cursor=page["next_cursor"]).json()
        assert ids(page["items"]) == new


def test_a_page_of_100_is_the_default(hub: Hub) -> None:
    """And has_more says that there is another."""
    stored(hub, *[{}] * 101)
    page = hub.get(EVENTS).json()
    assert (len(page["items"]), page["has_more"]) == (100, True)


def test_a_page_looks_at_so_many_rows_and_says_where_to_go_on(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that finds little gives pages without items, and all of them in the end."""
    monkeypatch.setattr(pages, "SCANNED_ROWS", 3)
    wanted = stored(hub, {}, {"actor_id": ACTOR}, {}, {}, {}, {}, {}, {"actor_id": ACTOR})
    page = hub.get(EVENTS, actor_id=ACTOR).json()
    assert (ids(page["items"]), page["has_more"]) == ([wanted[1]], True)
    page = hub.get(EVENTS, actor_id=ACTOR, cursor=page["next_cursor"]).json()
    assert (page["items"], page["has_more"]) == ([], True)
    assert ids(hub.items(EVENTS, actor_id=ACTOR)) == [wanted[1], wanted[7]]
    assert ids(exported(hub, EVENTS, "ndjson", actor_id=ACTOR)) == [wanted[1], wanted[7]]


@pytest.mark.parametrize("form", ["list", "ndjson", "csv"])
def test_events_are_found_by_each_filter(hub: Hub, form: str) -> None:
    """Alone and together; from has its instant, until has not; the spelling of an id and a zone does not matter."""
    made = stored(
        hub,
        {"occurred_at": "2026-01-01T00:00:00Z", "event_type": "viewed"},
        {"occurred_at": "2026-01-02T00:00:00Z", "actor_id": ACTOR},
        {"occurred_at": "2026-01-03T00:00:00Z", "event_type": "viewed", "actor_id": ACTOR},
    )

    def found(**parameters: Any) -> list[int]:
        rows = hub.items(EVENTS, **parameters) if form == "list" else exported(hub, EVENTS, form, **parameters)
        return [made.index(row["id"]) for row in rows]

    assert found() == [0, 1, 2]
    assert found(event_type="viewed") == [0, 2]
    assert found(actor_id=ACTOR.upper()) == [1, 2]
    assert found(event_type="viewed", actor_id=ACTOR) == [2]
    assert found(widget_id=EVENT["widget_id"]) == [0, 1, 2]
    assert found(widget_id=str(uuid4())) == []
    assert found(event_type="x' OR 1=1 --") == []
    assert found(occurred_from="2026-01-02T01:00:00+01:00") == [1, 2]
    assert found(occurred_until="2026-01-02T00:00:00Z") == [0]
    assert found(occurred_from="2026-01-02T00:00:00Z", occurred_until="2026-01-03T00:00:00Z") == [1]
    now = datetime.now(UTC)
    assert found(received_since=(now - timedelta(minutes=1)).isoformat()) == [0, 1, 2]
    assert found(received_since=(now + timedelta(minutes=1)).isoformat()) == []
    assert found(received_since="0001-01-01T00:00:00Z") == [0, 1, 2]


@pytest.mark.parametrize("form", ["list", "ndjson", "csv"])
def test_annotations_are_found_by_each_filter(hub: Hub, form: str) -> None:
    """By category, by event, by actor."""
    event_id = hub.event().json()["id"]
    items = [{"category": "issue"}, {"event_id": event_id}, {"actor_id": ACTOR, "event_id": event_id}]
    made = [one["id"] for one in results_of(hub.batch([ANNOTATION | item for item in items], ANNOTATIONS))]

    def found(**parameters: Any) -> list[int]:
        rows = (
            hub.items(ANNOTATIONS, **parameters) if form == "list" else exported(hub, ANNOTATIONS, form, **parameters)
        )
        return [made.index(row["id"]) for row in rows]

    assert found(category="issue") == [0]
    assert found(event_id=event_id) == [1, 2]
    assert found(event_id=event_id, actor_id=ACTOR) == [2]
    assert found(widget_id=str(uuid4())) == []
    assert found(occurred_from="9999-12-31T23:59:59Z") == []


# What cannot be asked for


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
def test_a_parameter_that_cannot_be_is_refused(hub: Hub, path: str, query: str) -> None:
    """422 in the shape of an error, which names what is wrong; nothing is guessed."""
    response = hub.client.get(f"{BASE}{path}?{query}")
    assert response.status_code == 422, response.text
    assert response.json().keys() == {"error", "help"}
    told = response.json()["error"]
    assert any(word in told for word in ("limit", "limt", "cursor", "query", "x", "hub_id"))


@pytest.mark.parametrize(
    "query",
    [
        *("widget_id=x", "widget_id=%7B5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11%7D", "event_type=", "event_type=%00"),
        *("occurred_from=now", "occurred_from=2026-01-01", "occurred_until=infinity", "received_since=1e9"),
        *("event_type=" + "x" * 201, "event_type=%ED%A0%80", "category=praise", "format=csv"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(hub: Hub, query: str) -> None:
    """Of a list and of a file: 422."""
    assert hub.client.get(f"{BASE}{EVENTS}?{query}").status_code == 422
    assert hub.client.get(f"{BASE}{EVENTS}/export?format=ndjson&{query}").status_code == 422


@pytest.mark.parametrize("identifier", ["nope", "%00", EVENT["widget_id"], "{" + EVENT["widget_id"] + "}", "batch"])
@pytest.mark.parametrize("path", [EVENTS, ANNOTATIONS, "/rejected-submissions"])
def test_what_is_not_there_is_not_found(hub: Hub, path: str, identifier: str) -> None:
    """404, or 405 where something else is."""
    response = hub.client.get(f"{BASE}{path}/{identifier}")
    assert response.status_code == (405 if identifier == "batch" and path != "/rejected-submissions" else 404)
    assert response.json().keys() == {"error", "help"}


# What is read back


METADATA = [
    '{"n": 18446744073709551616, "m": -1%s, "x": 1e308, "y": 5e-324, "z": 0.1, "v": 1e23, "w": -0.0}' % ("0" * 127),
    '{"deep": [[[{"a": [null, true, "\\u2028 \\ud83d\\ude00 é"]}]]], "": ""}',
    "{}",
]


def exactly(text: str | bytes) -> Any:
    """The value of JSON, its numbers as they are written and not as a double holds them."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def test_metadata_is_read_back_as_it_was_sent(hub: Hub) -> None:
    """Every digit and character: by id, in the list, in NDJSON and in CSV."""
    items = [f'{json.dumps(EVENT)[:-1]}, "metadata": {metadata}}}' for metadata in METADATA]
    answer = hub.post(f"{EVENTS}/batch", content=f"[{','.join(items)}]", headers=JSON)
    made, wanted = [one["id"] for one in results_of(answer)], [exactly(metadata) for metadata in METADATA]
    assert [exactly(hub.get(f"{EVENTS}/{identifier}").text)["metadata"] for identifier in made] == wanted
    assert [item["metadata"] for item in exactly(hub.get(EVENTS).text)["items"]] == wanted
    lines = hub.get(f"{EVENTS}/export", format="ndjson").content.splitlines()
    assert [exactly(line)["metadata"] for line in lines] == wanted
    assert [exactly(row["metadata"]) for row in exported(hub, EVENTS, "csv")] == wanted


def test_fields_that_no_column_holds_are_read_back(hub: Hub) -> None:
    """Those of an edited contract stand beside the others, and in CSV in a cell of their own."""
    identifier = hub.event().json()["id"]
    with psycopg.connect(hub.service.database_url) as connection:
        change = "UPDATE interaction_events SET additional_fields = %s WHERE id = %s"
        connection.execute(change, [Jsonb({"session_ref": "s-1"}), identifier])
    assert hub.get(f"{EVENTS}/{identifier}").json()["session_ref"] == "s-1"
    assert [row["session_ref"] for row in exported(hub, EVENTS, "ndjson")] == ["s-1"]
    assert [json.loads(row["additional_fields"]) for row in exported(hub, EVENTS, "csv")] == [{"session_ref": "s-1"}]


# What everybody reads


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
