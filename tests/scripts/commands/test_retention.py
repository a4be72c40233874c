"""`interaction-reporting retention`: what is dropped, what would be, and what is said about it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from db import partitions
from db.engine import Database
from scripts.cli import app, main

Run = Callable[..., tuple[Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], database_url: str) -> Run:
    """Runs the command with these arguments and settings: what it printed as JSON, and what it said."""

    def start(*arguments: str, **settings: str) -> tuple[Any, str]:
        command = ["interaction-reporting", "retention", "--json", *arguments]
        with (
            mock.patch.dict("os.environ", {"IR_DATABASE_URL": database_url, **settings}),
            mock.patch("sys.argv", command),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        told = capsys.readouterr()
        assert ended.value.code == 0, told.err
        return json.loads(told.out), told.err

    return start


@pytest.fixture
def old(database: Database) -> list[str]:
    """The names of two partitions of each table: all in the first is older than 15 days, and none in the second is."""
    now = datetime.now(UTC)
    monday = now - timedelta(days=now.weekday())
    with database.begin() as connection:
        return [
            name
            for earlier in (monday - timedelta(weeks=4), monday - timedelta(weeks=1))
            for name in sorted(partitions.ensure(connection, earlier, earlier))
        ]


def names(database: Database) -> list[str]:
    """The names of the partitions."""
    with database.begin() as connection:
        return [partition.name for partition in partitions.list_all(connection)]


def test_without_a_retention_events_are_kept_for_ever(run: Run, database: Database, old: list[str]) -> None:
    """It says so, lists every partition, and drops none."""
    listed, told = run()
    assert [partition["name"] for partition in listed] == names(database)
    assert names(database)[:4] == old
    assert told == ("Events are kept forever, because neither --days nor IR_RETENTION is set. The partitions are:\n")
    nothing, told = run("--dry-run")
    assert (nothing, told.endswith(" is set. Nothing would be dropped.\n")) == ([], True)


def test_a_dry_run_without_a_retention_prints_one_sentence(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output stays empty: there is no table of partitions."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    done = CliRunner().invoke(app, ["retention", "--dry-run"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("Nothing would be dropped.\n")


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        pytest.param(("--days", "15"), {}, id="as an option"),
        pytest.param((), {"IR_RETENTION": "15"}, id="as a setting"),
        pytest.param(("--days", "15"), {"IR_RETENTION": "1"}, id="the option wins"),
    ],
)
def test_older_weeks_are_dropped(
    run: Run, database: Database, old: list[str], arguments: tuple[str, ...], settings: dict[str, str]
) -> None:
    """A dry run lists what would be dropped; then it is dropped, and then there is nothing to drop."""
    would_be, told = run(*arguments, "--dry-run", **settings)
    assert names(database)[:4] == old
    assert told == "Events are kept for 15 days. These partitions would be dropped:\n"
    dropped, told = run(*arguments, **settings)
    assert ([one["name"] for one in dropped], dropped) == (old[:2], would_be)
    assert {one["table"] for one in dropped} == {"interaction_events", "annotations"}
    assert dropped[0].keys() == {"table", "name", "since", "until", "estimated_rows", "bytes"}
    assert names(database)[:2] == old[2:]
    assert told == "Events are kept for 15 days. These partitions were dropped:\n"
    assert run(*arguments, **settings)[0] == []
