"""`interaction-reporting retention`: the dropped partitions, a dry run, and the sentences about them."""

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
    """Runs the command with these arguments and settings: its JSON output, and its notes."""

    def start(*arguments: str, **settings: str) -> tuple[Any, str]:
        command = ["interaction-reporting", "retention", "--json", *arguments]
        with (
            mock.patch.dict("os.environ", {"IR_DATABASE_URL": database_url, **settings}),
            mock.patch("sys.argv", command),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        output = capsys.readouterr()
        assert ended.value.code == 0, output.err
        return json.loads(output.out), output.err

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


def test_without_a_retention_events_are_kept_forever(run: Run, database: Database, old: list[str]) -> None:
    """The command says so, lists every partition, and drops none."""
    listed, sentence = run()
    assert [partition["name"] for partition in listed] == names(database)
    assert names(database)[:4] == old
    assert sentence == (
        "Events and annotations are kept forever, because neither --days nor IR_RETENTION is set. The partitions are:\n"
    )
    dropped, sentence = run("--dry-run")
    assert (dropped, sentence.endswith(" is set. No partition would be dropped.\n")) == ([], True)


def test_a_dry_run_without_a_retention_prints_one_sentence(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output stays empty: there is no table of partitions."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    done = CliRunner().invoke(app, ["retention", "--dry-run"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("No partition would be dropped.\n")


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        pytest.param(("--days", "15"), {}, id="as an option"),
        pytest.param((), {"IR_RETENTION": "15"}, id="as a setting"),
        pytest.param(("--days", "15"), {"IR_RETENTION": "1"}, id="the option wins"),
    ],
)
def test_the_command_drops_older_weeks(
    run: Run, database: Database, old: list[str], arguments: tuple[str, ...], settings: dict[str, str]
) -> None:
    """A dry run lists two partitions, the first run drops them, and a second run drops none."""
    would_be, sentence = run(*arguments, "--dry-run", **settings)
    assert names(database)[:4] == old
    assert sentence == "Events and annotations are kept for 15 days. These partitions would be dropped:\n"
    dropped, sentence = run(*arguments, **settings)
    assert ([row["name"] for row in dropped], dropped) == (old[:2], would_be)
    assert {row["table"] for row in dropped} == {"interaction_events", "annotations"}
    assert dropped[0].keys() == {"table", "name", "since", "until", "estimated_rows", "bytes"}
    assert names(database)[:2] == old[2:]
    assert sentence == "Events and annotations are kept for 15 days. These partitions were dropped:\n"
    assert run(*arguments, **settings)[0] == []
