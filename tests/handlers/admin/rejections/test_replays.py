"""Replays as jobs: they go on by themselves, are cancelled and taken over, and store nothing twice."""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from db import audit, hubs, replays
from db.audit import Author
from db.errors import NotFound, Refused, Unavailable
from db.rejections import RejectionFilter
from db.replays import Progress, TakenOver
from handlers.admin.rejections import replay_worker
from tests.examples import EVENT
from tests.handlers.admin.rejections.rejecting import (
    REPLAYS,
    begin,
    counts,
    ended,
    event,
    reject,
    reject_events,
    replay_at,
)
from tests.handlers.conftest import ANNOTATION, Hub
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.service import Service
from tests.waiting import wait_until

AUTHOR = Author("cli:tester", "a test")


def register(hub: Hub, name: str) -> None:
    """Register an event type."""
    hub.manifest([{"name": name, "description": "x"}])


def of(hub: Hub, **more: Any) -> RejectionFilter:
    """The filter of what a hub has waiting."""
    return RejectionFilter(hub_id=hub.id, **more)


def test_a_thousand_are_replayed_though_nobody_looks(hub: Hub, editor: AdminBrowser, prefix: str) -> None:
    """Each is stored once, and those that are still wrong have their new reason; the audit log says who, what and how.

    The browser asks for nothing between the form and the end.
    """
    reject_events(hub, prefix, 1000)
    wrong = reject(hub.service, hub.id, event("never registered"), b"{bad", code="event_type_not_registered")
    register(hub, prefix)
    path = begin(editor, code="event_type_not_registered", hub=hub.name, why="The type is registered.")
    replay = ended(hub.service, path)
    assert counts(replay) == {"total": 1002, "stored": 1000, "rejected": 2, "skipped": 0, "left": 0}
    assert (replay.state, replay.created_by, replay.why) == (
        "finished",
        "admin:editor of test_replays",
        "The type is registered.",
    )
    assert sorted(int(row["view_context_ref"]) for row in hub.rows()) == list(range(1000))
    rejections = {row["id"]: row for row in hub.rows("rejected_submissions")}
    assert {str(row["replayed_as"]) for row in rejections.values() if row["replayed_at"]} == {
        str(row["id"]) for row in hub.rows()
    }
    assert [rejections[UUID(each)]["code"] for each in wrong] == ["event_type_not_registered", "malformed_json"]
    assert all(rejections[UUID(each)]["attempted_at"] for each in wrong)
    with hub.service.database.begin() as connection:
        end, start = audit.entries(connection, 9, None, {"subject": str(replay.id)})
    asked = {"code": "event_type_not_registered", "hub_id": str(hub.id)}
    assert (start.action, start.actor, start.why) == ("replay", replay.created_by, replay.why)
    assert start.after == {"filter": asked, "total": 1002}
    assert (end.action, end.actor, end.why, end.kind) == ("finish replay", *[start.actor, start.why, start.kind])
    outcome = {"state": "finished", "fault": None, "total": 1002, "stored": 1000, "rejected": 2, "skipped": 0}
    assert end.after == {"filter": asked, "begun_by": replay.created_by, **outcome}
    page = text_of(editor.get(path))
    assert "1,000 of 1,002 are stored. 2 were rejected again" in page


def test_a_filter_chooses(hub: Hub, new_hub: Callable[..., Hub], editor: AdminBrowser, prefix: str) -> None:
    """By hub, event type, code and kind; what is not of it stays as it is."""
    other = new_hub(hub.service)
    mine = reject_events(hub, prefix, 3)
    reject_events(hub, f"{prefix}.x", 2)
    reject_events(other, prefix, 2)
    reject(hub.service, hub.id, event(prefix, 9), code="invalid_body", event_type=prefix)
    hub.manifest([{"name": name, "description": "x"} for name in (prefix, f"{prefix}.x")])
    path = begin(editor, code="event_type_not_registered", event_type=prefix, hub=hub.name, kind="event")
    assert counts(ended(hub.service, path))["stored"] == 3
    assert (len(hub.rows()), len(other.rows())) == (3, 0)
    replayed = {str(row["id"]) for row in hub.rows("rejected_submissions") if row["replayed_at"]}
    assert replayed == set(mine)
    everything = begin(editor, event_type=prefix)
    assert counts(ended(hub.service, everything))["stored"] == 3
    assert (len(hub.rows()), len(other.rows())) == (4, 2)
    assert "All rejections with event type" in text_of(editor.get(everything))


def test_the_ticked_ones_are_replayed(hub: Hub, editor: AdminBrowser, prefix: str) -> None:
    """No others; without a tick the form says so and nothing is begun."""
    ids = reject_events(hub, prefix, 4)
    register(hub, prefix)
    path = begin(editor, "selected", id=[ids[1], ids[3], ids[3]])
    assert counts(ended(hub.service, path)) == {"total": 2, "stored": 2, "rejected": 0, "skipped": 0, "left": 0}
    assert [row["view_context_ref"] for row in sorted(hub.rows(), key=lambda row: row["view_context_ref"])] == [
        "1",
        "3",
    ]
    assert "2 selected rejections" in text_of(editor.get(path))
    for bad in ([], ["x"], [ids[0], "' OR 1=1"]):
        page = editor.post(REPLAYS, {"scope": "selected", "id": bad, "hub": hub.name})
        assert page.status_code == 422
        assert "Tick" in text_of(page)
        assert ids[0] in page.text
    assert editor.post(REPLAYS, {"scope": "selected", "id": [ids[1]]}).status_code == 409
    assert editor.post(REPLAYS, {"scope": "selected", "id": [str(uuid4())]}).status_code == 409
    assert editor.post(REPLAYS, {"scope": "x", "id": [ids[0]]}).status_code == 422
    assert len(hub.rows()) == 2


def test_a_replay_is_like_that_of_the_hub(hub: Hub, editor: AdminBrowser, prefix: str, widget: str) -> None:
    """Under the key of the request: neither a replay after the sender's repetition nor a second one stores twice.

    Annotations are replayed, too, and whole batches are not.
    """
    for _ in range(2):
        hub.post("/interaction-events", EVENT | {"event_type": prefix}, headers={"Idempotency-Key": "k"})
    hub.post("/annotations", ANNOTATION | {"widget_id": widget})
    hub.post("/interaction-events/batch", content=b"{bad", headers={"Content-Type": "application/json"})
    hub.manifest([{"name": prefix, "description": "x"}], [{"id": widget, "name": "x"}])
    assert (
        hub.post("/interaction-events", EVENT | {"event_type": prefix}, headers={"Idempotency-Key": "k"}).status_code
        == 201
    )
    replay = ended(hub.service, begin(editor, hub=hub.name))
    assert counts(replay) == {"total": 3, "stored": 3, "rejected": 0, "skipped": 0, "left": 0}
    assert (len(hub.rows()), len(hub.rows("annotations"))) == (1, 1)
    assert editor.post(REPLAYS, {"scope": "filter", "hub": hub.name}).status_code == 409


def test_what_cannot_be_tried_is_skipped(hub: Hub, editor: AdminBrowser, prefix: str) -> None:
    """A disabled hub reports nothing, also through a replay; nor is there a version 7."""
    reject_events(hub, prefix, 2)
    reject(hub.service, hub.id, event(prefix), contract_version="7.0")
    register(hub, prefix)
    with hub.service.database.begin() as connection:
        hubs.disable(connection, hub.name)
    skipped = {"total": 3, "stored": 0, "rejected": 0, "skipped": 3, "left": 0}
    path = begin(editor, hub=hub.name)
    assert counts(ended(hub.service, path)) == skipped
    assert "3 were not tried" in text_of(editor.get(path))
    with hub.service.database.begin() as connection:
        hubs.enable(connection, hub.name)
    assert counts(ended(hub.service, begin(editor, hub=hub.name))) == skipped | {"stored": 2, "skipped": 1}
    assert not any(row["attempted_at"] for row in hub.rows("rejected_submissions"))


def test_the_same_is_replayed_once_at_a_time(hub: Hub, prefix: str) -> None:
    """Another call with the same filter gets the job that has not ended; Refused if nothing waits."""
    ids = reject_events(hub, prefix, 2)
    with hub.service.database.begin() as connection:
        with pytest.raises(Refused, match="no rejection like that"):
            replays.start(connection, AUTHOR, of(hub, code="none"))
        first = replays.start(connection, AUTHOR, of(hub))
        assert replays.start(connection, AUTHOR, of(hub)) == first
        assert replays.start(connection, AUTHOR, RejectionFilter(ids=(UUID(ids[0]),))) != first
        for identifier in [replay.id for replay in replays.unfinished(connection, 9)]:
            replays.cancel(connection, AUTHOR, identifier)


@contextmanager
def stopped_after(slices: int, then: Callable[[], None] = lambda: None) -> Any:
    """Let a replay stop when so many slices are recorded: the next one never is, though its events are stored."""
    original, calls = replays.settle, []

    def settle(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > slices:
            then()
            raise Unavailable("stopped")
        return original(*arguments)

    with mock.patch.object(replay_worker, "SLICE_ROWS", 10), mock.patch.object(replays, "settle", settle):
        yield calls


def test_a_worker_that_ends_is_followed_at_once(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub], prefix: str
) -> None:
    """Another one goes on where it was. A slice that was stored and not recorded is not stored again."""
    with start_service() as service:
        hub = new_hub(service)
        reject_events(hub, prefix, 55)
        register(hub, prefix)
        with signed_in(service, "ed", "editor") as browser, stopped_after(2) as calls:
            path = begin(browser, hub=hub.name)
            wait_until(lambda: len(calls) > 2)
        stored = len(hub.rows())
    assert counts(replay_at(service, path)) == {"total": 55, "stored": 20, "rejected": 0, "skipped": 0, "left": 35}
    assert stored == 30
    assert replay_at(service, path).state == "running"
    with psycopg.connect(service.database_url) as connection:
        assert connection.execute("SELECT worker FROM replays").fetchall() == [(None,)]
    with start_service() as another:
        assert counts(ended(another, path)) == {"total": 55, "stored": 55, "rejected": 0, "skipped": 0, "left": 0}
    assert sorted(int(row["view_context_ref"]) for row in hub.rows()) == list(range(55))


def test_a_worker_that_is_killed_is_taken_over(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When it has been silent for a while; what it still writes then does not count."""
    monkeypatch.setattr(replays, "TAKEOVER_SECONDS", 1.0)
    killed = uuid4()
    with start_service() as service:
        hub = new_hub(service)
        reject_events(hub, prefix, 20)
        register(hub, prefix)
        with service.database.begin() as connection:
            identifier = replays.start(connection, AUTHOR, of(hub))
            connection.execute(
                text("UPDATE replays SET worker = :w, state = 'running', heartbeat_at = clock_timestamp()"),
                {"w": killed},
            )
        replay = ended(service, f"{REPLAYS}/{identifier}")
        assert counts(replay)["stored"] == 20
        with service.database.begin() as connection:
            late = Progress(replay.last_position, {}, {}, 20)
            for write in (
                lambda: replays.settle(connection, identifier, killed, late),
                lambda: replays.beat(connection, identifier, killed),
                lambda: replays.finish(connection, identifier, killed),
            ):
                with pytest.raises(TakenOver):
                    write()
        assert replay_at(service, f"{REPLAYS}/{identifier}") == replay
        assert len(hub.rows()) == 20


def test_a_silent_worker_loses_its_job_and_a_living_one_keeps_it(hub: Hub, prefix: str) -> None:
    """Two never have the same one; each takes the oldest that is free."""
    first, second = uuid4(), uuid4()
    reject_events(hub, prefix, 2)
    with hub.service.database.begin() as connection:
        one = replays.start(connection, AUTHOR, of(hub))
        assert replays.take(connection, first).id == one  # type: ignore[union-attr]
        assert replays.take(connection, second) is None
        two = replays.start(connection, AUTHOR, of(hub, code="event_type_not_registered"))
        assert replays.take(connection, second).id == two  # type: ignore[union-attr]
        age = text("UPDATE replays SET heartbeat_at = now() - interval '16 seconds' WHERE id = :id")
        connection.execute(age, {"id": one})
        replays.beat(connection, one, first)
        assert replays.take(connection, second) is None
        connection.execute(age, {"id": one})
        assert replays.take(connection, second).id == one  # type: ignore[union-attr]
        with pytest.raises(TakenOver):
            replays.beat(connection, one, first)
        replays.release(connection, second)
        assert replays.take(connection, first).id == one  # type: ignore[union-attr]
        connection.rollback()


def test_two_workers_of_one_job_double_nothing(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two services, one of which takes every job from the other after each slice."""
    monkeypatch.setattr(replays, "TAKEOVER_SECONDS", -1.0)
    monkeypatch.setattr(replay_worker, "TAKEOVER_SECONDS", 50.0)
    monkeypatch.setattr(replay_worker, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(replay_worker, "SLICE_ROWS", 7)
    with start_service() as service, start_service():
        hub = new_hub(service)
        reject_events(hub, prefix, 200)
        reject(service, hub.id, b"{bad", b"[]")
        register(hub, prefix)
        with service.database.begin() as connection:
            identifier = replays.start(connection, AUTHOR, of(hub))
        replay = ended(service, f"{REPLAYS}/{identifier}")
        assert counts(replay) == {"total": 202, "stored": 200, "rejected": 2, "skipped": 0, "left": 0}
        assert sorted(int(row["view_context_ref"]) for row in hub.rows()) == list(range(200))
        with service.database.begin() as connection:
            entries = audit.entries(connection, 9, None, {"subject": str(identifier)})
        assert [entry.action for entry in entries] == ["finish replay", "replay"]


def test_a_replay_is_cancelled(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub], prefix: str
) -> None:
    """By a form; what is stored stays, the rest waits, and a second form finds that it has ended."""
    with start_service() as service, signed_in(service, "ed", "editor") as browser:
        hub = new_hub(service)
        reject_events(hub, prefix, 40)
        register(hub, prefix)
        with stopped_after(1) as calls:
            path = begin(browser, hub=hub.name)
            wait_until(lambda: len(calls) > 1)
            page = browser.get(path)
            assert "Cancel the replay" in page.text
            assert "data-again" in page.text
            assert "10 of 40" in text_of(page)
            assert "running" in text_of(browser.get("/admin/rejected"))
            assert browser.post(f"{path}/cancel").status_code == 303
        assert "It is cancelled. What it has stored stays." in text_of(browser.get(path))
        assert browser.post(f"{path}/cancel").status_code == 409
        assert browser.post(f"{REPLAYS}/{uuid4()}/cancel").status_code == 404
        assert counts(replay_at(service, path)) == {"total": 40, "stored": 10, "rejected": 0, "skipped": 0, "left": 30}
        assert counts(ended(service, begin(browser, hub=hub.name))) == {
            "total": 30,
            "stored": 30,
            "rejected": 0,
            "skipped": 0,
            "left": 0,
        }
        assert len(hub.rows()) == 40


def test_a_replay_that_fails_again_and_again_is_given_up(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page says so, without what the log alone may say; the next replay is not kept up by it."""
    monkeypatch.setattr(replay_worker, "LOOK_SECONDS", 0.01)
    with start_service() as service, signed_in(service, "ed", "editor") as browser:
        hub = new_hub(service)
        reject_events(hub, prefix, 3)
        with mock.patch.object(replay_worker, "resubmitted", side_effect=ZeroDivisionError("secret")):
            path = begin(browser, hub=hub.name)
            replay = ended(service, path)
        assert (replay.state, replay.fault, replay.left) == ("failed", "ZeroDivisionError: see the log", 3)
        page = text_of(browser.get(path))
        assert "It has failed: ZeroDivisionError: see the log." in page
        assert "secret" not in page
        assert ended(service, begin(browser, hub=hub.name)).state == "finished"


def test_later_rejections_are_not_part_of_it(hub: Hub, prefix: str) -> None:
    """A replay has an end, though its hub goes on."""
    reject_events(hub, prefix, 1)
    with hub.service.database.begin() as connection:
        identifier = replays.start(connection, AUTHOR, of(hub))
        replay = replays.find(connection, identifier)
        assert replay is not None
        reject_events(hub, prefix, 1)
        assert len(replays.rows(connection, replay, 0, 9)) == 1
        connection.rollback()


def test_old_replays_are_forgotten(hub: Hub, prefix: str) -> None:
    """When another one begins; a replay that is unknown cannot be cancelled."""
    reject_events(hub, prefix, 1)
    with hub.service.database.begin() as connection:
        old = replays.start(connection, AUTHOR, of(hub))
        replays.cancel(connection, AUTHOR, old)
        connection.execute(text("UPDATE replays SET finished_at = now() - interval '91 days'"))
        replays.start(connection, AUTHOR, of(hub))
        assert replays.find(connection, old) is None
        with pytest.raises(NotFound):
            replays.cancel(connection, AUTHOR, old)
        connection.rollback()
