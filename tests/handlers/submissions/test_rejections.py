"""Rejections: which ones are kept, and how many."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from db import writer
from db.engine import Database
from db.registry import Caller
from db.rejected_submissions import EVENT_TYPE_CHARACTERS, Bounds
from db.tables import rejected_submissions as table
from handlers.submissions.rejections import Rejections
from openapi.problems import Problem
from openapi.serving.messages import Request

REFUSED = Problem("event_type_not_registered", name="x", pointer="/event_type")
BOUNDS = Bounds(count=16, days=1, bytes=100_000)


def keep(
    database: Database,
    hub_id: UUID,
    *groups: Sequence[tuple[int | None, Problem, bytes]],
    key: str | None = None,
    kind: str = "event",
) -> None:
    """Keep each of `groups` as the rejections of one request under `key`, within BOUNDS."""

    def validate(_operation_id: str, _content: bytes) -> Any:
        raise NotImplementedError

    async def run() -> None:
        rejections = Rejections(database, BOUNDS)
        parameters = {"Idempotency-Key": key} if key else {}
        request = Request(None, Caller(hub_id, "hub"), None, "1.1", validate, parameters)
        async with rejections.writer.writing():
            for group in groups:
                await rejections.keep(request, kind, group)

    asyncio.run(run())


def rows(database: Database, hub_id: UUID) -> list[Any]:
    """The kept rejections of a hub, oldest first."""
    with database.begin() as connection:
        return list(connection.execute(select(table).where(table.c.hub_id == hub_id).order_by(table.c.position)))


def test_an_invalid_submission_is_kept(database: Database) -> None:
    """With its reason and its bytes; a failure of the service and an empty submission are not kept."""
    hub_id = uuid4()
    keep(database, hub_id, [(0, REFUSED, b"{}"), (1, Problem("internal_error"), b"{}"), (2, REFUSED, b"")])
    (row,) = rows(database, hub_id)
    assert (row.batch_index, row.code, row.error, row.pointer) == (0, REFUSED.code, REFUSED.error, "/event_type")
    assert bytes(row.raw) == b"{}"


def test_the_key_of_a_request_is_kept(database: Database) -> None:
    """Unchanged for a single submission; in a batch each item has one of its own."""
    hub_id = uuid4()
    keep(database, hub_id, [(None, REFUSED, b"{}"), (0, REFUSED, b"{}"), (1, REFUSED, b"{}")], key="k")
    keys = [row.request_key for row in rows(database, hub_id)]
    assert keys[0] == "k"
    assert len(set(keys)) == 3


def test_the_oldest_rejections_are_deleted(database: Database) -> None:
    """A hub has at most its bounds and an eighth more."""
    hub_id = uuid4()
    keep(database, hub_id, *[[(index, REFUSED, b"%d" % index)] for index in range(2 * BOUNDS.count)])
    indexes = [row.batch_index for row in rows(database, hub_id)]
    assert BOUNDS.count <= len(indexes) <= BOUNDS.count * 9 // 8
    assert indexes == list(range(2 * BOUNDS.count))[-len(indexes) :]


def test_a_failure_is_logged_and_not_raised(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client gets the response to its submission, whether it is kept or not."""
    hub_id = uuid4()
    monkeypatch.setattr(writer, "MAX_WAITING_BYTES", 0)
    keep(database, hub_id, [(0, REFUSED, b"{}")])
    assert "rejected submissions cannot be stored" in caplog.text
    assert rows(database, hub_id) == []


@pytest.mark.parametrize(
    ("raw", "event_type"),
    [
        (b'{"event_type": "signed"}', "signed"),
        (b'{"widget_id": 5, "event_type": ""}', ""),
        ('{"event_type": "Gr\u00f6\u00dfe"}'.encode(), "Gr\u00f6\u00dfe"),
        (b'{"event_type": "%s"}' % (b"x" * 60_000), "x" * EVENT_TYPE_CHARACTERS),
        (b'{"event_type": "%s\\u0000"}' % (b"x" * 300), None),
        (b'{"event_type": "a\\u0000"}', None),
        (b'{"event_type": "a\\ud800"}', None),
        (b'{"event_type": 5}', None),
        (b'{"event_type": null}', None),
        (b'{"event_type": "a", "event_type": "b"}', None),
        (b'{"event_type": "a"', None),
        (b'["event_type"]', None),
        (b"[" * 60_000, None),
        (b"\xff", None),
    ],
)
def test_the_event_type_of_a_rejection_is_kept(database: Database, raw: bytes, event_type: str | None) -> None:
    """As it was sent, cut; whatever a hub sends is kept."""
    hub_id = uuid4()
    keep(database, hub_id, [(None, REFUSED, raw)])
    (row,) = rows(database, hub_id)
    assert row.event_type == event_type


@pytest.mark.parametrize("kind", ["annotation", "event-batch"])
def test_only_an_event_has_an_event_type(database: Database, kind: str) -> None:
    """An annotation may have a field of this name, and a batch has many types."""
    hub_id = uuid4()
    keep(database, hub_id, [(None, REFUSED, b'{"event_type": "signed"}')], kind=kind)
    (row,) = rows(database, hub_id)
    assert row.event_type is None
