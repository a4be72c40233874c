"""Submissions: each thing once, batches whose items are judged alone, and dry runs that leave nothing behind."""

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
    """The answer to a batch of `items` in one of the forms that a batch may have."""
    if form == "array":
        return hub.batch(items, **headers)
    if form == "lines":
        return hub.lines(as_lines(items), **headers)
    content = json.dumps(items) if form == "gzipped array" else as_lines(items)
    media_type = "application/json" if form == "gzipped array" else "application/x-ndjson"
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return hub.post(
        "/interaction-events/batch",
        content=gzip.compress(content.encode()),
        headers={"Content-Type": media_type, "Content-Encoding": "gzip"} | given,
    )


FORMS = pytest.mark.parametrize("form", ["array", "lines", "gzipped array", "gzipped lines"])


# One thing


@pytest.mark.parametrize(
    ("headers", "own"),
    [(KEY, {}), ({}, {"client_event_id": "c"}), (KEY, {"client_event_id": "c"})],
    ids=["request", "own", "both"],
)
def test_what_is_sent_again_is_answered_as_the_first_time(
    hub: Hub, headers: dict[str, str], own: dict[str, str]
) -> None:
    """201 with the same body and the replay header, which the first answer has not, and one row."""
    sent = EVENT | own | {"metadata": {"b": 1, "a": [100, 0.5]}}
    first = hub.post("/interaction-events", sent, headers=headers)
    respelt = json.dumps(dict(reversed(sent.items()))).replace("100", "1e2").replace("0.5", "5.0E-1")
    again = hub.post("/interaction-events", content=respelt, headers=JSON | headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert [str(row["id"]) for row in hub.rows()] == [first.json()["id"]]


@pytest.mark.parametrize(
    ("headers", "own", "name"),
    [(KEY, {}, "Idempotency-Key"), ({}, {"client_event_id": "c"}, "client_event_id")],
    ids=["request", "own"],
)
def test_a_key_of_something_else_is_refused(hub: Hub, headers: dict[str, str], own: dict[str, str], name: str) -> None:
    """409 which names the key, and the first row stays alone."""
    hub.post("/interaction-events", EVENT | own, headers=headers)
    refused = hub.post("/interaction-events", EVENT | own | {"actor_type": "agent"}, headers=headers)
    assert refused.status_code == 409
    assert refused.json()["error"] == f"the {name} was used before for other content"
    assert [row["actor_type"] for row in hub.rows()] == [None]


def test_a_key_is_one_for_events_and_annotations(hub: Hub) -> None:
    """An Idempotency-Key names a request, whatever it is about; a client's own id names a thing of one kind."""
    annotation = {"widget_id": EVENT["widget_id"], "category": "praise", "body": "x"}
    hub.post("/interaction-events", EVENT | {"client_event_id": "same"}, headers=KEY)
    assert hub.post("/annotations", annotation, headers=KEY).status_code == 409
    assert hub.post("/annotations", annotation | {"client_annotation_id": "same"}).status_code == 201
    assert len(hub.rows("annotations")) == 1


def test_what_was_refused_leaves_its_key_free(hub: Hub) -> None:
    """Whatever the reason, the key may be used for something that is accepted then."""
    assert hub.post("/interaction-events", UNKNOWN, headers=KEY).status_code == 422
    assert hub.post("/interaction-events", EVENT, headers=KEY).status_code == 201
    hub.event(client_event_id="taken")
    other = {"Idempotency-Key": "other"}
    conflicting = EVENT | {"client_event_id": "taken", "actor_type": "agent"}
    assert hub.post("/interaction-events", conflicting, headers=other).status_code == 409
    mended = hub.post("/interaction-events", conflicting | {"client_event_id": "free"}, headers=other)
    assert (mended.status_code, "idempotent-replayed" in mended.headers) == (201, False)
    assert len(hub.rows()) == 3


def test_what_was_stored_is_answered_though_its_type_is_registered_no_more(hub: Hub, prefix: str) -> None:
    """The first answer again, alone and in a batch: a client that lost it must not be told that nothing was stored."""
    hub.manifest([{"name": f"{prefix}.x", "description": "x"}])
    sent = EVENT | {"event_type": f"{prefix}.x"}
    first = hub.post("/interaction-events", sent, headers=KEY)
    own = hub.event(event_type=f"{prefix}.x", client_event_id="c")
    hub.manifest()
    wait_until(lambda: hub.post("/interaction-events", sent).status_code == 422)
    again = hub.post("/interaction-events", sent, headers=KEY)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    (told,) = results_of(hub.batch([sent | {"client_event_id": "c"}]))
    assert (told["status"], told["id"]) == ("duplicate", own.json()["id"])


@pytest.mark.parametrize("key", ["", "x" * 256, "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_key_that_cannot_be_is_refused(hub: Hub, key: str) -> None:
    """422, and nothing is stored."""
    answer = hub.post("/interaction-events", EVENT, headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]
    assert hub.rows() == []


# Batches


@FORMS
def test_each_item_is_answered_for_by_its_index(hub: Hub, form: str) -> None:
    """Created, duplicate of before and within, not registered, invalid, no object, conflict: told and stored so."""
    before = hub.event(client_event_id="before").json()["id"]
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
    told = results_of(answer)
    assert [one["index"] for one in told] == list(range(8))
    outcomes = ["created", "duplicate", "rejected", "rejected", "rejected", "created", "duplicate", "rejected"]
    assert [one["status"] for one in told] == outcomes
    assert totals_of(answer) == totals(created=2, duplicate=2, rejected=4)
    assert told[1]["id"] == before
    assert told[6]["id"] == told[5]["id"]
    assert {str(row["id"]) for row in hub.rows()} == {before, told[0]["id"], told[5]["id"]}
    rejected = [one for one in told if one["status"] == "rejected"]
    assert [one.get("pointer") for one in rejected] == ["/event_type", "/actor_id", "", "/client_event_id"]
    assert all(one["retry"] is False and one["help"] and "id" not in one for one in rejected)
    assert rejected[0]["error"] == "event_type 'nope' not registered"


@FORMS
def test_a_batch_of_nothing_is_accepted(hub: Hub, form: str) -> None:
    """200 without results."""
    answer = send(hub, form, [])
    assert (answer.status_code, results_of(answer), totals_of(answer)) == (200, [], totals())


@FORMS
def test_a_batch_of_what_is_stored_is_200(hub: Hub, form: str) -> None:
    """Also if all of it was before."""
    items = [EVENT | {"client_event_id": f"c{number}"} for number in range(3)]
    first, again = send(hub, form, items), send(hub, form, items)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (totals_of(first), totals_of(again)) == (totals(created=3), totals(duplicate=3))
    assert [one["id"] for one in results_of(first)] == [one["id"] for one in results_of(again)]
    assert len(hub.rows()) == 3


@FORMS
def test_more_items_than_are_stored_at_once(hub: Hub, form: str) -> None:
    """1,000: each is stored under the id that is told for its index."""
    items = [EVENT | {"view_context_ref": str(number)} for number in range(1000)]
    told = results_of(send(hub, form, items))
    stored = {str(row["id"]): row["view_context_ref"] for row in hub.rows()}
    assert [stored[one["id"]] for one in told] == [str(number) for number in range(1000)]
    assert len(stored) == 1000


def test_an_array_that_is_too_long_is_refused_as_a_whole(hub: Hub) -> None:
    """422, and nothing is stored."""
    answer = hub.batch([EVENT] * 1001)
    assert answer.status_code == 422
    assert answer.json()["error"] == "the batch has 1001 items; the limit is 1000"
    assert hub.rows() == []


@pytest.mark.parametrize("body", [b"{}", b"[", b"", b"5", b"null", b'[{"a":1}'], ids=str)
def test_what_is_no_array_is_refused_as_a_whole(hub: Hub, body: bytes) -> None:
    """400 or 422 in the shape of an error."""
    answer = hub.post("/interaction-events/batch", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json().keys() == {"error", "help"}
    assert hub.rows() == []


def test_lines_that_are_no_json_leave_the_others_as_they_are(hub: Hub) -> None:
    """Blank lines are not counted, the last needs no end, and a carriage return is a blank."""
    good = json.dumps(EVENT)
    answer = hub.lines(f"\n{good}\r\n \t\r\n{{bad\n\n[{good}]\n" + '{"a":1,"a":2}\n' + good)
    assert [one["status"] for one in results_of(answer)] == ["created", "rejected", "rejected", "rejected", "created"]
    assert [one["index"] for one in results_of(answer)] == list(range(5))
    assert totals_of(answer) == totals(created=2, rejected=3)
    assert len(hub.rows()) == 2


def test_a_line_that_is_too_long_is_rejected_alone(hub: Hub) -> None:
    """64 KiB are accepted, one more byte is not, and the next line is read from its beginning."""
    shortest = len(json.dumps(EVENT | {"metadata": {"x": ""}}))
    longest, longer = (json.dumps(EVENT | {"metadata": {"x": "x" * (65536 + more - shortest)}}) for more in (0, 1))
    answer = hub.lines("\n".join([longest, longer, json.dumps(EVENT)]))
    assert [one["status"] for one in results_of(answer)] == ["created", "rejected", "created"]
    assert "the limit is 65536 bytes" in results_of(answer)[1]["error"]


def test_a_stream_that_breaks_off_tells_what_was_stored(hub: Hub) -> None:
    """400 for gzip that ends early: results of what was read, totals and the error in the last line."""
    items = as_lines([EVENT | {"view_context_ref": str(uuid4())} for _ in range(3000)]).encode()
    answer = hub.lines(gzip.compress(items)[:-9], Content_Encoding="gzip")
    assert answer.status_code == 400
    told = json.loads(answer.content.splitlines()[-1])
    assert "not complete and well-formed gzip" in told["error"]
    created = [one["id"] for one in results_of(answer) if one["status"] == "created"]
    assert {str(row["id"]) for row in hub.rows()} == set(created)
    assert told["totals"]["created"] == len(created) > 0


def interrupted(hub: Hub, what: Callable[[], None]) -> httpx.Response:
    """The answer to a stream of whose lines some are stored when `what` is done, and others sent after that."""

    def lines() -> Iterator[bytes]:
        yield as_lines([EVENT | {"view_context_ref": "/" + "x" * 200}] * (2 * GROUP_ITEMS - 1)).encode()
        wait_until(lambda: len(hub.rows()) == GROUP_ITEMS)
        what()
        yield as_lines([EVENT] * GROUP_ITEMS).encode()

    return hub.client.post(f"{BASE}/interaction-events/batch", content=lines(), headers=NDJSON)


def test_a_stream_ends_with_the_key_of_its_sender(hub: Hub) -> None:
    """401 once the key is revoked, with the results of what was stored until then; what comes later is not."""

    def revoke() -> None:
        statement(hub.service.database_url, SQL("UPDATE hubs SET disabled_at = now() WHERE id = {}").format(hub.id))
        wait_until(lambda: hub.get("/widgets").status_code == 401)

    answer = interrupted(hub, revoke)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/x-ndjson")
    assert json.loads(answer.content.splitlines()[-1])["error"] == "Authorization: Bearer required"
    assert totals_of(answer) == totals(created=GROUP_ITEMS)
    assert [one["id"] for one in results_of(answer)] == [str(row["id"]) for row in hub.rows()]


@contextmanager
def database_away(service: Service) -> Iterator[Callable[[], None]]:
    """What makes the database of `service` unreachable, cutting its connections, until the end."""
    url = make_url(service.database_url)
    server, name = url.set(database="postgres").render_as_string(hide_password=False), str(url.database)
    admitted = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    cut = SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(name)
    try:
        yield lambda: statement(server, admitted.format(Identifier(name), SQL("false")), cut)
    finally:
        statement(server, admitted.format(Identifier(name), SQL("true")))


@pytest.mark.parametrize("is_noticed", [True, False], ids=["before", "while storing"])
def test_a_stream_tells_what_was_stored_when_the_database_goes_away(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
    is_noticed: bool,
) -> None:
    """503 with the results until then, whoever finds it first; what is not stored is told so or left out."""
    if not is_noticed:
        monkeypatch.setattr(registry, "FRESH_SECONDS", 60)
    with start_service() as service:
        hub = new_hub(service)
        with database_away(service) as go_away:

            def leave() -> None:
                go_away()
                if is_noticed:  # who sends an unknown key waits until it is known that none can be looked up
                    assert hub.client.get(f"{BASE}/widgets", headers=STRANGER).status_code == 503

            answer = interrupted(hub, leave)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/x-ndjson")
        assert answer.headers["retry-after"] == "1"
        told = results_of(answer)
        assert [one["id"] for one in told if "id" in one] == [str(row["id"]) for row in hub.rows()]
        assert ("error" in json.loads(answer.content.splitlines()[-1])) == is_noticed
        if is_noticed:
            assert totals_of(answer) == totals(created=GROUP_ITEMS)
        else:
            assert totals_of(answer) == totals(created=GROUP_ITEMS, rejected=2 * GROUP_ITEMS - 1)
            assert {(one["code"], one["retry"]) for one in told[GROUP_ITEMS:]} == {("unavailable", True)}


@FORMS
def test_a_batch_under_a_key_is_stored_once(hub: Hub, form: str) -> None:
    """Sent again it is answered as the first time, with the replay header, and what was rejected is judged anew."""
    items = [EVENT, UNKNOWN, EVENT]
    first = send(hub, form, items, Idempotency_Key="k")
    again = send(hub, form, items, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (422, 422)
    assert results_of(again) == results_of(first)
    assert totals_of(again) == totals_of(first) == totals(created=2, rejected=1)
    assert ("idempotent-replayed" in first.headers, "idempotent-replayed" in again.headers) == (False, True)
    assert len(hub.rows()) == 2


@pytest.mark.parametrize("other", [[EVENT], [EVENT] * 3, [EVENT, EVENT | {"actor_type": "user"}]])
def test_another_array_under_the_key_is_refused(hub: Hub, other: list[Any]) -> None:
    """409, and nothing of it is stored: longer, shorter, other, none."""
    hub.batch([EVENT, EVENT], Idempotency_Key="k")
    answer = hub.batch(other, Idempotency_Key="k")
    assert answer.status_code == 409
    assert answer.json()["error"] == "the Idempotency-Key was used before for another batch"
    assert len(hub.rows()) == 2


def test_lines_under_the_key_are_told_apart_by_where_they_stand(hub: Hub) -> None:
    """After a first attempt that broke off, its lines are answered as then, the rest is new, another is refused."""
    sent = [EVENT | {"view_context_ref": str(number)} for number in range(4)]
    first = results_of(hub.lines(as_lines(sent[:2]), Idempotency_Key="k"))
    answer = hub.lines(as_lines([sent[0], sent[3], sent[2], sent[1]]), Idempotency_Key="k")
    told = results_of(answer)
    assert [one["status"] for one in told] == ["created", "rejected", "created", "created"]
    assert told[0] == first[0]
    assert "Idempotency-Key was used before" in told[1]["error"]
    assert answer.headers["idempotent-replayed"] == "true"
    assert sorted(row["view_context_ref"] for row in hub.rows()) == ["0", "1", "1", "2"]


@FORMS
@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "k"}], ids=["no key", "key"])
def test_a_2xx_is_sent_only_if_all_is_stored(hub: Hub, form: str, key: dict[str, str]) -> None:
    """Over batches of every mixture: 200 if and only if nothing was rejected, and each id that is told is a row."""
    pool = [EVENT, UNKNOWN, EVENT | {"client_event_id": "a"}, 5, EVENT | {"client_event_id": "a", "actor_type": "user"}]
    told: set[str] = set()
    for choice in range(1, 2 ** len(pool), 3):
        items = [item for number, item in enumerate(pool) if choice >> number & 1]
        answer = send(hub, form, items, **{name: f"{text}{choice}" for name, text in key.items()})
        results = results_of(answer)
        assert len(results) == len(items)
        is_all_stored = all("id" in one for one in results)
        assert answer.status_code == (200 if is_all_stored else 422)
        told |= {one["id"] for one in results if "id" in one}
    assert {str(row["id"]) for row in hub.rows()} == told


def test_a_gzipped_body_is_stored(hub: Hub) -> None:
    """As it is without the coding; of more bytes than are accepted, 413, however few were sent."""
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
def test_a_dry_run_of_a_batch_answers_alike_and_keeps_nothing(hub: Hub, form: str) -> None:
    """Every outcome as it would be; no row of any table, no usage, and the header says so."""
    items = [EVENT, UNKNOWN, EVENT | {"client_event_id": "a"}, EVENT | {"client_event_id": "a"}, {}]
    tried = send(hub, form, items, Prefer="dry-run", Idempotency_Key="k")
    assert tried.headers["preference-applied"] == "dry-run"
    assert set(hub.counts().values()) == {0}
    assert hub.usage()["received"] == 0
    done = send(hub, form, items, Idempotency_Key="k")
    assert "preference-applied" not in done.headers
    assert tried.status_code == done.status_code == 422
    assert totals_of(tried) == totals_of(done) == totals(created=2, duplicate=1, rejected=2)
    without_ids = [[{**one, "id": None} for one in results_of(answer)] for answer in (tried, done)]
    assert without_ids[0] == without_ids[1]


def test_a_dry_run_of_a_large_batch_finds_what_stands_twice(hub: Hub) -> None:
    """Also where the two are further apart than what is stored at once."""
    items = [EVENT | {"client_event_id": "a"}, *[EVENT] * 600, EVENT | {"client_event_id": "a"}]
    tried, done = hub.batch(items, Prefer="dry-run"), hub.batch(items)
    assert totals_of(tried) == totals_of(done) == totals(created=601, duplicate=1)


@pytest.mark.parametrize("prefer", ["dry-run", "handling=strict; dry-run", "respond-async, Dry-Run"])
def test_a_dry_run_of_one_thing_keeps_nothing(hub: Hub, prefer: str) -> None:
    """200 and the header where it would be 201; refused as ever where it would be refused."""
    headers = {"Prefer": prefer} | KEY
    tried = hub.post("/interaction-events", EVENT, headers=headers)
    assert (tried.status_code, tried.headers["preference-applied"]) == (200, "dry-run")
    assert {**tried.json(), "id": None} == EVENT | {"id": None}
    assert hub.post("/interaction-events", UNKNOWN, headers=headers).status_code == 422
    assert hub.post("/interaction-events", {}, headers=headers).status_code == 422
    assert set(hub.counts().values()) == {0}
    assert hub.usage()["received"] == 0


def test_a_dry_run_knows_what_is_stored(hub: Hub) -> None:
    """Its key finds the stored event, or the conflict with it."""
    first = hub.event(client_event_id="c").json()
    tried = hub.post("/interaction-events", EVENT | {"client_event_id": "c"}, headers=DRY_RUN)
    assert (tried.status_code, tried.json()) == (200, first)
    assert tried.headers["idempotent-replayed"] == "true"
    refused = hub.post("/interaction-events", EVENT | {"client_event_id": "c", "metadata": {}}, headers=DRY_RUN)
    assert refused.status_code == 409


def test_another_preference_has_no_effect(hub: Hub) -> None:
    """The event is stored."""
    answer = hub.post("/interaction-events", EVENT, headers={"Prefer": 'x="dry-run", not-dry-run'})
    assert (answer.status_code, "preference-applied" in answer.headers) == (201, False)
    assert len(hub.rows()) == 1
