"""Submissions: each item is stored once, batch items are judged separately, and dry runs store nothing."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

from db import registry
from openapi.requests.batch import GROUP_ITEMS
from tests.examples import EVENT
from tests.handlers.conftest import BASE, DRY_RUN, JSON, NDJSON, Hub, results_of, totals, totals_of
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

KEY = {"Idempotency-Key": "k"}
STRANGER = {"Authorization": "Bearer irk_x"}
UNKNOWN = EVENT | {"event_type": "nope"}


def as_lines(items: list[Any]) -> str:
    """`items` as NDJSON."""
    return "".join(json.dumps(item) + "\n" for item in items)


def send(hub: Hub, form: str, items: list[Any], **headers: str) -> Any:
    """The response to a batch of `items` in one of the forms that a batch may have."""
    if form == "array":
        return hub.batch(items, **headers)
    if form == "lines":
        return hub.lines(as_lines(items), **headers)
    content = json.dumps(items) if form == "gzipped array" else as_lines(items)
    media_type = "application/json" if form == "gzipped array" else "application/x-ndjson"
    options = {name.replace("_", "-"): text for name, text in headers.items()}
    return hub.post(
        "/interaction-events/batch",
        content=gzip.compress(content.encode()),
        headers={"Content-Type": media_type, "Content-Encoding": "gzip"} | options,
    )


FORMS = pytest.mark.parametrize("form", ["array", "lines", "gzipped array", "gzipped lines"])


# One item


@pytest.mark.parametrize(
    ("headers", "own"),
    [(KEY, {}), ({}, {"client_event_id": "c"}), (KEY, {"client_event_id": "c"})],
    ids=["request", "own", "both"],
)
def test_a_repeated_request_gets_the_first_response(hub: Hub, headers: dict[str, str], own: dict[str, str]) -> None:
    """201 twice with the same body and one row; only the second response has the replay header."""
    item = EVENT | own | {"metadata": {"b": 1, "a": [100, 0.5]}}
    first = hub.post("/interaction-events", item, headers=headers)
    respelt = json.dumps(dict(reversed(item.items()))).replace("100", "1e2").replace("0.5", "5.0E-1")
    second = hub.post("/interaction-events", content=respelt, headers=JSON | headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert [str(row["id"]) for row in hub.rows()] == [first.json()["id"]]


@pytest.mark.parametrize(
    ("headers", "own", "name"),
    [(KEY, {}, "Idempotency-Key"), ({}, {"client_event_id": "c"}, "client_event_id")],
    ids=["request", "own"],
)
def test_a_key_that_was_used_for_other_content_is_refused(
    hub: Hub, headers: dict[str, str], own: dict[str, str], name: str
) -> None:
    """409 names the key, and the first row remains the only one."""
    hub.post("/interaction-events", EVENT | own, headers=headers)
    response = hub.post("/interaction-events", EVENT | own | {"actor_type": "agent"}, headers=headers)
    assert response.status_code == 409
    assert response.json()["error"] == f"the {name} was used before for other content"
    assert [row["actor_type"] for row in hub.rows()] == [None]


def test_events_and_annotations_share_idempotency_keys(hub: Hub) -> None:
    """An Idempotency-Key names a request of any kind; a client's own id names an item of one kind."""
    annotation = {"widget_id": EVENT["widget_id"], "category": "praise", "body": "x"}
    hub.post("/interaction-events", EVENT | {"client_event_id": "same"}, headers=KEY)
    assert hub.post("/annotations", annotation, headers=KEY).status_code == 409
    assert hub.post("/annotations", annotation | {"client_annotation_id": "same"}).status_code == 201
    assert len(hub.rows("annotations")) == 1


def test_a_refused_request_leaves_its_key_free(hub: Hub) -> None:
    """Whatever the reason of the refusal, a later request may use the key and be accepted."""
    assert hub.post("/interaction-events", UNKNOWN, headers=KEY).status_code == 422
    assert hub.post("/interaction-events", EVENT, headers=KEY).status_code == 201
    hub.event(client_event_id="taken")
    other = {"Idempotency-Key": "other"}
    conflicting = EVENT | {"client_event_id": "taken", "actor_type": "agent"}
    assert hub.post("/interaction-events", conflicting, headers=other).status_code == 409
    response = hub.post("/interaction-events", conflicting | {"client_event_id": "free"}, headers=other)
    assert (response.status_code, "idempotent-replayed" in response.headers) == (201, False)
    assert len(hub.rows()) == 3


def test_a_stored_event_is_replayed_after_its_type_was_deregistered(hub: Hub, prefix: str) -> None:
    """The first response again, alone and in a batch: a client that lost it must not get an error instead."""
    hub.manifest([{"name": f"{prefix}.x", "description": "x"}])
    event = EVENT | {"event_type": f"{prefix}.x"}
    first = hub.post("/interaction-events", event, headers=KEY)
    own = hub.event(event_type=f"{prefix}.x", client_event_id="c")
    hub.manifest()
    wait_until(lambda: hub.post("/interaction-events", event).status_code == 422)
    second = hub.post("/interaction-events", event, headers=KEY)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["idempotent-replayed"] == "true"
    (result,) = results_of(hub.batch([event | {"client_event_id": "c"}]))
    assert (result["status"], result["id"]) == ("duplicate", own.json()["id"])


@pytest.mark.parametrize("key", ["", "x" * 256, "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_an_invalid_key_is_refused(hub: Hub, key: str) -> None:
    """422, and nothing is stored."""
    answer = hub.post("/interaction-events", EVENT, headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]
    assert hub.rows() == []


# Batches


@FORMS
def test_each_item_gets_a_result_at_its_index(hub: Hub, form: str) -> None:
    """Created, duplicate (of a row, of an item), not registered, invalid, no object, conflict: result and row agree."""
    stored = hub.event(client_event_id="before").json()["id"]
    items: list[Any] = [
        EVENT,
        EVENT | {"client_event_id": "before"},
        UNKNOWN,
        EVENT | {"metadata": {"x": 1}, "actor_id": "no"},
        5,
        EVENT | {"client_event_id": "new"},
        EVENT | {"client_event_id": "new"},
        EVENT | {"client_event_id": "new", "actor_type": "user"},
    ]
    answer = send(hub, form, items)
    assert answer.status_code == 422
    results = results_of(answer)
    assert [result["index"] for result in results] == list(range(8))
    outcomes = ["created", "duplicate", "rejected", "rejected", "rejected", "created", "duplicate", "rejected"]
    assert [result["status"] for result in results] == outcomes
    assert totals_of(answer) == totals(created=2, duplicate=2, rejected=4)
    assert results[1]["id"] == stored
    assert results[6]["id"] == results[5]["id"]
    assert {str(row["id"]) for row in hub.rows()} == {stored, results[0]["id"], results[5]["id"]}
    rejected = [result for result in results if result["status"] == "rejected"]
    assert [result.get("pointer") for result in rejected] == ["/event_type", "/actor_id", "", "/client_event_id"]
    assert all(result["retry"] is False and result["help"] and "id" not in result for result in rejected)
    assert rejected[0]["error"] == "event_type 'nope' not registered"


@FORMS
def test_an_empty_batch_is_accepted(hub: Hub, form: str) -> None:
    """200 without results."""
    answer = send(hub, form, [])
    assert (answer.status_code, results_of(answer), totals_of(answer)) == (200, [], totals())


@FORMS
def test_a_batch_of_stored_items_gets_200(hub: Hub, form: str) -> None:
    """200 if the batch stores all items, and if all of them were stored before."""
    items = [EVENT | {"client_event_id": f"c{number}"} for number in range(3)]
    first, second = send(hub, form, items), send(hub, form, items)
    assert (first.status_code, second.status_code) == (200, 200)
    assert (totals_of(first), totals_of(second)) == (totals(created=3), totals(duplicate=3))
    assert [result["id"] for result in results_of(first)] == [result["id"] for result in results_of(second)]
    assert len(hub.rows()) == 3


@FORMS
def test_a_batch_is_stored_in_several_groups(hub: Hub, form: str) -> None:
    """Each of 1,000 items is stored under the id that the result at its index names."""
    items = [EVENT | {"view_context_ref": str(number)} for number in range(1000)]
    results = results_of(send(hub, form, items))
    references = {str(row["id"]): row["view_context_ref"] for row in hub.rows()}
    assert [references[result["id"]] for result in results] == [str(number) for number in range(1000)]
    assert len(references) == 1000


def test_an_array_that_is_too_long_is_refused_as_a_whole(hub: Hub) -> None:
    """422, and nothing is stored."""
    answer = hub.batch([EVENT] * 1001)
    assert answer.status_code == 422
    assert answer.json()["error"] == "the batch has 1001 items; the limit is 1000"
    assert hub.rows() == []


@pytest.mark.parametrize("body", [b"{}", b"[", b"", b"5", b"null", b'[{"a":1}'], ids=str)
def test_a_body_that_is_no_array_is_refused_as_a_whole(hub: Hub, body: bytes) -> None:
    """400 or 422 with the body of an error."""
    answer = hub.post("/interaction-events/batch", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json().keys() == {"error", "help"}
    assert hub.rows() == []


def test_invalid_lines_do_not_affect_the_others(hub: Hub) -> None:
    """Blank lines are not counted, the last line needs no newline, and a carriage return is white space."""
    good = json.dumps(EVENT)
    answer = hub.lines(f"\n{good}\r\n \t\r\n{{bad\n\n[{good}]\n" + '{"a":1,"a":2}\n' + good)
    assert [result["status"] for result in results_of(answer)] == [
        "created",
        "rejected",
        "rejected",
        "rejected",
        "created",
    ]
    assert [result["index"] for result in results_of(answer)] == list(range(5))
    assert totals_of(answer) == totals(created=2, rejected=3)
    assert len(hub.rows()) == 2


def test_a_line_that_is_too_long_is_rejected_alone(hub: Hub) -> None:
    """A line of 64 KiB is accepted, one more byte is not, and the next line is read from its start."""
    shortest = len(json.dumps(EVENT | {"metadata": {"x": ""}}))
    longest, longer = (json.dumps(EVENT | {"metadata": {"x": "x" * (65536 + excess - shortest)}}) for excess in (0, 1))
    answer = hub.lines("\n".join([longest, longer, json.dumps(EVENT)]))
    assert [result["status"] for result in results_of(answer)] == ["created", "rejected", "created"]
    assert "the limit is 65536 bytes" in results_of(answer)[1]["error"]


def test_a_truncated_stream_reports_the_stored_items(hub: Hub) -> None:
    """400 for gzip that ends early: results of the items read, then totals and the error in the last line."""
    items = as_lines([EVENT | {"view_context_ref": str(uuid4())} for _ in range(3000)]).encode()
    answer = hub.lines(gzip.compress(items)[:-9], Content_Encoding="gzip")
    assert answer.status_code == 400
    last = json.loads(answer.content.splitlines()[-1])
    assert "not complete and well-formed gzip" in last["error"]
    created = [result["id"] for result in results_of(answer) if result["status"] == "created"]
    assert {str(row["id"]) for row in hub.rows()} == set(created)
    assert last["totals"]["created"] == len(created) > 0


def interrupted(hub: Hub, interrupt: Callable[[], None]) -> httpx.Response:
    """The response to a stream of lines: `interrupt` runs when the first group is stored, then more lines follow."""

    def lines() -> Iterator[bytes]:
        yield as_lines([EVENT | {"view_context_ref": "/" + "x" * 200}] * (2 * GROUP_ITEMS - 1)).encode()
        wait_until(lambda: len(hub.rows()) == GROUP_ITEMS)
        interrupt()
        yield as_lines([EVENT] * GROUP_ITEMS).encode()

    return hub.client.post(f"{BASE}/interaction-events/batch", content=lines(), headers=NDJSON)


def test_a_stream_ends_when_its_key_is_revoked(hub: Hub) -> None:
    """401 once the key is revoked, with the results of the items stored so far; later items are not stored."""

    def revoke() -> None:
        statement(hub.service.database_url, SQL("UPDATE hubs SET disabled_at = now() WHERE id = {}").format(hub.id))
        wait_until(lambda: hub.get("/widgets").status_code == 401)

    answer = interrupted(hub, revoke)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/x-ndjson")
    assert json.loads(answer.content.splitlines()[-1])["error"] == "Authorization: Bearer required"
    assert totals_of(answer) == totals(created=GROUP_ITEMS)
    assert [result["id"] for result in results_of(answer)] == [str(row["id"]) for row in hub.rows()]


@contextmanager
def database_away(service: Service) -> Iterator[Callable[[], None]]:
    """Yield a function that makes the database of `service` unreachable and cuts its connections, until the end."""
    url = make_url(service.database_url)
    server, name = url.set(database="postgres").render_as_string(hide_password=False), str(url.database)
    admitted = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    cut = SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(name)
    try:
        yield lambda: statement(server, admitted.format(Identifier(name), SQL("false")), cut)
    finally:
        statement(server, admitted.format(Identifier(name), SQL("true")))


@pytest.mark.parametrize("is_noticed", [True, False], ids=["before", "while storing"])
def test_a_stream_reports_the_stored_items_when_the_database_goes_away(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
    is_noticed: bool,
) -> None:
    """503 with the results so far, if a key check or a write fails first; other items are unavailable or left out."""
    if not is_noticed:
        monkeypatch.setattr(registry, "FRESH_SECONDS", 60)
    with start_service() as service:
        hub = new_hub(service)
        with database_away(service) as go_away:

            def interrupt() -> None:
                go_away()
                if is_noticed:  # a request with an unknown key waits until the key lookup fails
                    assert hub.client.get(f"{BASE}/widgets", headers=STRANGER).status_code == 503

            answer = interrupted(hub, interrupt)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/x-ndjson")
        assert answer.headers["retry-after"] == "1"
        results = results_of(answer)
        assert [result["id"] for result in results if "id" in result] == [str(row["id"]) for row in hub.rows()]
        assert ("error" in json.loads(answer.content.splitlines()[-1])) == is_noticed
        if is_noticed:
            assert totals_of(answer) == totals(created=GROUP_ITEMS)
        else:
            assert totals_of(answer) == totals(created=GROUP_ITEMS, rejected=2 * GROUP_ITEMS - 1)
            assert {(result["code"], result["retry"]) for result in results[GROUP_ITEMS:]} == {("unavailable", True)}


@FORMS
def test_a_batch_under_a_key_is_stored_once(hub: Hub, form: str) -> None:
    """The second response repeats the first with the replay header; rejected items are judged anew."""
    items = [EVENT, UNKNOWN, EVENT]
    first = send(hub, form, items, Idempotency_Key="k")
    second = send(hub, form, items, Idempotency_Key="k")
    assert (first.status_code, second.status_code) == (422, 422)
    assert results_of(second) == results_of(first)
    assert totals_of(second) == totals_of(first) == totals(created=2, rejected=1)
    assert ("idempotent-replayed" in first.headers, "idempotent-replayed" in second.headers) == (False, True)
    assert len(hub.rows()) == 2


@pytest.mark.parametrize("other", [[EVENT], [EVENT] * 3, [EVENT, EVENT | {"actor_type": "user"}]])
def test_another_array_under_the_key_is_refused(hub: Hub, other: list[Any]) -> None:
    """409, and nothing is stored of an array that is longer, shorter or different."""
    hub.batch([EVENT, EVENT], Idempotency_Key="k")
    answer = hub.batch(other, Idempotency_Key="k")
    assert answer.status_code == 409
    assert answer.json()["error"] == "the Idempotency-Key was used before for another batch"
    assert len(hub.rows()) == 2


def test_lines_under_a_key_are_identified_by_position(hub: Hub) -> None:
    """After a truncated attempt: its lines get their first results, new ones are stored, a changed one is refused."""
    events = [EVENT | {"view_context_ref": str(number)} for number in range(4)]
    first = results_of(hub.lines(as_lines(events[:2]), Idempotency_Key="k"))
    answer = hub.lines(as_lines([events[0], events[3], events[2], events[1]]), Idempotency_Key="k")
    results = results_of(answer)
    assert [result["status"] for result in results] == ["created", "rejected", "created", "created"]
    assert results[0] == first[0]
    assert "Idempotency-Key was used before" in results[1]["error"]
    assert answer.headers["idempotent-replayed"] == "true"
    assert sorted(row["view_context_ref"] for row in hub.rows()) == ["0", "1", "1", "2"]


@FORMS
@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "k"}], ids=["no key", "key"])
def test_a_2xx_means_that_every_item_is_stored(hub: Hub, form: str, key: dict[str, str]) -> None:
    """Batches of every mixture: 200 if and only if no item was rejected, and each id in a result has a row."""
    pool = [EVENT, UNKNOWN, EVENT | {"client_event_id": "a"}, 5, EVENT | {"client_event_id": "a", "actor_type": "user"}]
    ids: set[str] = set()
    for choice in range(1, 2 ** len(pool), 3):
        items = [item for number, item in enumerate(pool) if choice >> number & 1]
        answer = send(hub, form, items, **{name: f"{text}{choice}" for name, text in key.items()})
        results = results_of(answer)
        assert len(results) == len(items)
        is_all_stored = all("id" in result for result in results)
        assert answer.status_code == (200 if is_all_stored else 422)
        ids |= {result["id"] for result in results if "id" in result}
    assert {str(row["id"]) for row in hub.rows()} == ids


def test_a_gzipped_body_is_stored(hub: Hub) -> None:
    """Stored as without the coding; 413 if it decompresses to too many bytes, however few were sent."""
    headers = JSON | {"Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(EVENT | {"metadata": {"n": 2**100}}).encode())
    assert hub.post("/interaction-events", content=body, headers=headers).status_code == 201
    (row,) = hub.rows()
    assert row["metadata"] == {"n": 2**100}
    bomb = gzip.compress(b" " * 50_000_000 + json.dumps(EVENT).encode())
    assert hub.post("/interaction-events", content=bomb, headers=headers).status_code == 413
    assert len(hub.rows()) == 1


# Dry runs


@FORMS
def test_a_dry_run_of_a_batch_gets_the_same_results_and_stores_nothing(hub: Hub, form: str) -> None:
    """The outcomes of a real run and a header that names the dry run; no row of any table, and no usage."""
    items = [EVENT, UNKNOWN, EVENT | {"client_event_id": "a"}, EVENT | {"client_event_id": "a"}, {}]
    dry = send(hub, form, items, Prefer="dry-run", Idempotency_Key="k")
    assert dry.headers["preference-applied"] == "dry-run"
    assert set(hub.counts().values()) == {0}
    assert hub.usage()["received"] == 0
    real = send(hub, form, items, Idempotency_Key="k")
    assert "preference-applied" not in real.headers
    assert dry.status_code == real.status_code == 422
    assert totals_of(dry) == totals_of(real) == totals(created=2, duplicate=1, rejected=2)
    without_ids = [[{**result, "id": None} for result in results_of(answer)] for answer in (dry, real)]
    assert without_ids[0] == without_ids[1]


def test_a_dry_run_of_a_large_batch_finds_duplicates(hub: Hub) -> None:
    """Also if the two items are in different groups of the batch."""
    items = [EVENT | {"client_event_id": "a"}, *[EVENT] * 600, EVENT | {"client_event_id": "a"}]
    dry, real = hub.batch(items, Prefer="dry-run"), hub.batch(items)
    assert totals_of(dry) == totals_of(real) == totals(created=601, duplicate=1)


@pytest.mark.parametrize("prefer", ["dry-run", "handling=strict; dry-run", "respond-async, Dry-Run"])
def test_a_dry_run_of_one_event_stores_nothing(hub: Hub, prefer: str) -> None:
    """200 and the header instead of 201; an invalid event is refused as without a dry run."""
    headers = {"Prefer": prefer} | KEY
    response = hub.post("/interaction-events", EVENT, headers=headers)
    assert (response.status_code, response.headers["preference-applied"]) == (200, "dry-run")
    assert {**response.json(), "id": None} == EVENT | {"id": None}
    assert hub.post("/interaction-events", UNKNOWN, headers=headers).status_code == 422
    assert hub.post("/interaction-events", {}, headers=headers).status_code == 422
    assert set(hub.counts().values()) == {0}
    assert hub.usage()["received"] == 0


def test_a_dry_run_sees_stored_events(hub: Hub) -> None:
    """Its key finds the stored event, or the conflict with it."""
    first = hub.event(client_event_id="c").json()
    response = hub.post("/interaction-events", EVENT | {"client_event_id": "c"}, headers=DRY_RUN)
    assert (response.status_code, response.json()) == (200, first)
    assert response.headers["idempotent-replayed"] == "true"
    conflict = hub.post("/interaction-events", EVENT | {"client_event_id": "c", "metadata": {}}, headers=DRY_RUN)
    assert conflict.status_code == 409


@pytest.mark.parametrize("prefer", ['x="dry-run", not-dry-run', "dry-run=0", "dry-run=true", "dry-run=false, dry-run"])
def test_another_preference_has_no_effect(hub: Hub, prefer: str) -> None:
    """The event is stored, also if the preference differs from a dry run only by a value."""
    answer = hub.post("/interaction-events", EVENT, headers={"Prefer": prefer})
    assert (answer.status_code, "preference-applied" in answer.headers) == (201, False)
    assert len(hub.rows()) == 1


@FORMS
@pytest.mark.parametrize("prefer", ["dry-run=false", "handling=strict; dry-run=false"])
def test_a_batch_with_another_preference_is_stored(hub: Hub, form: str, prefer: str) -> None:
    """Its repetition finds the stored event."""
    answers = [send(hub, form, [EVENT | {"client_event_id": "a"}], Prefer=prefer) for _ in range(2)]
    assert [totals_of(answer) for answer in answers] == [totals(created=1), totals(duplicate=1)]
    assert not any("preference-applied" in answer.headers for answer in answers)
    assert len(hub.rows()) == 1
