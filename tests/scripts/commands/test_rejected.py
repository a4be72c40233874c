"""`interaction-reporting rejected`: the same as the pages of rejections, without a browser."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from db import event_types, hubs, replays
from db.audit import Author
from db.engine import Database
from db.errors import NotFound, Refused
from db.rejections import RejectionFilter, count_waiting
from scripts.cli import app
from scripts.commands import rejected
from tests.handlers.admin.rejections.rejecting import event, reject
from tests.service import Service

Run = Callable[..., Result]


@pytest.fixture
def service(start_service: Callable[..., AbstractContextManager[Service]]) -> Iterator[Service]:
    """A service on the test's own database."""
    with start_service() as started:
        yield started


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with --json on the test's own database."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    return lambda *arguments: CliRunner().invoke(app, ["rejected", *arguments, "--json"])


def printed(result: Result) -> Any:
    """What a command printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def hub_of(database: Database) -> Any:
    """The hub of the service."""
    with database.begin() as connection:
        return hubs.list_all(connection)[0]


def test_rejections_are_listed_shown_and_replayed(service: Service, run: Run) -> None:
    """By the options that the page has as filters."""
    hub = hub_of(service.database)
    typed = {"code": "event_type_not_registered", "event_type": "mailed"}
    ids = reject(service, hub.id, event("mailed", 1), event("mailed", 2), **typed)
    (broken,) = reject(service, hub.id, b"{bad \xff", kind="annotation", code="malformed_json")
    assert [row["id"] for row in printed(run("list"))] == [broken, *reversed(ids)]
    assert [row["id"] for row in printed(run("list", "--limit", "1"))] == [broken]
    assert [row["id"] for row in printed(run("list", "--kind", "annotation"))] == [broken]
    options = ("--code", "event_type_not_registered", "--hub", hub.name, "--event-type", "mailed")
    assert [row["id"] for row in printed(run("list", *options))] == [*reversed(ids)]
    assert [(row["code"], row["rows"]) for row in printed(run("codes"))] == [
        ("event_type_not_registered", 2),
        ("malformed_json", 1),
    ]
    shown = printed(run("show", broken))
    assert (shown["content"], shown["hub"], shown["bytes"]) == ("{bad \\xff", hub.name, 6)
    with service.database.begin() as connection:
        event_types.register(connection, "mailed")
    done = printed(run("replay", *options, "--why", "registered"))
    assert (done["state"], done["total"], done["stored"]) == ("finished", 2, 2)
    assert [row["id"] for row in printed(run("list", "--replayed"))] == [*reversed(ids)]
    done = printed(run("replay", "--id", broken))
    assert (done["stored"], done["rejected"]) == (0, 1)


def test_what_is_unknown_is_refused(service: Service, run: Run) -> None:
    """Nothing is begun."""
    with service.database.begin() as connection:
        assert count_waiting(connection, RejectionFilter()) == 0
    assert isinstance(run("replay").exception, Refused)
    assert isinstance(run("replay", "--hub", "nobody").exception, NotFound)
    assert isinstance(run("list", "--hub", "nobody").exception, NotFound)
    assert isinstance(run("show", "00000000-0000-7000-8000-000000000000").exception, NotFound)
    assert run("list", "--kind", "x").exit_code == 2


def test_without_a_service_the_command_says_so(service: Service, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on waiting: here the replay is cancelled meanwhile."""
    monkeypatch.setattr(rejected, "PATIENCE_SECONDS", 0.0)
    find, seen = replays.find, []

    def cancelled_later(connection: Any, identifier: Any) -> Any:
        seen.append(identifier)
        if len(seen) == 3:
            replays.cancel(connection, Author("cli:other"), identifier)
        return find(connection, identifier)

    reject(service, hub_of(service.database).id, b"{}")
    monkeypatch.setattr(replays, "take", lambda *_: None)
    monkeypatch.setattr(replays, "find", cancelled_later)
    done = run("replay")
    assert "No service works on the replay yet" in done.stderr
    assert str(done.exception) == "the replay is cancelled"
