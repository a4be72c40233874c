"""The commands for API keys that overlap, as an operator runs them."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from db import hubs
from db.engine import Database
from scripts.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `hub` with arguments on the test's own database, which has a hub named acme."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    with database.begin() as connection:
        hubs.create(connection, "acme")
    return lambda *arguments: CliRunner().invoke(app, ["hub", *arguments])


def output_of(result: Result) -> Any:
    """The JSON output of a command that succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def listed(run: Run) -> Any:
    """The hub, as `hub list` shows it."""
    (hub,) = output_of(run("list", "--json"))
    return hub


def origins(run: Run, *arguments: str) -> list[str]:
    """The origins of the hub, as `hub origins` prints them."""
    return [row["origin"] for row in output_of(run("origins", "acme", *arguments, "--json"))]


def test_origins_are_added_listed_and_removed(run: Run) -> None:
    """Each command prints those that the hub has then."""
    assert origins(run, "list") == []
    assert origins(run, "add", "https://shop.example") == ["https://shop.example"]
    both = ["https://app.example:8443", "https://shop.example"]
    assert origins(run, "add", both[0]) == origins(run, "list") == both
    assert both[0] in run("origins", "acme", "list").stdout
    assert origins(run, "remove", both[1]) == origins(run, "list") == both[:1]


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("add", "https://app.example/"), 2, "leave out all that follows"),
        (("add", "https://App.example"), 2, "a browser sends it as https://app.example"),
        (("add", "*"), 2, "'*' would stand for any page"),
        (("add",), 2, "add and remove need an ORIGIN"),
        (("list", "https://app.example"), 2, "list has none"),
        (("forget", "https://app.example"), 2, "'forget' is not one of"),
        (("remove", "https://app.example"), 1, "the hub 'acme' has not listed 'https://app.example'"),
    ],
)
def test_what_is_no_origin_is_refused(run: Run, arguments: tuple[str, ...], status: int, reason: str) -> None:
    """With the reason; the hub has no origin afterwards."""
    result = run("origins", "acme", *arguments)
    output = " ".join((result.output + str(result.exception)).replace("│", " ").split())
    assert reason in output
    assert result.exit_code == status
    assert origins(run, "list") == []


@pytest.mark.parametrize(("overlap", "hours"), [("24h", 24), ("24", 24), ("2160h", 2160)])
def test_a_rotation_with_an_overlap_shows_its_end(run: Run, overlap: str, hours: int) -> None:
    """The command, the list and the table have the same instant, and no list has a key."""
    rotated = output_of(run("rotate-key", "acme", "--overlap", overlap, "--json"))
    key = rotated.pop("api_key")
    began, ended = [datetime.fromisoformat(rotated[name]) for name in ("rotated_at", "previous_key_until")]
    assert ended - began == timedelta(hours=hours)
    assert listed(run) == rotated
    table = run("list").stdout
    assert "previous_key_until" in table
    assert rotated["previous_key_until"] in table
    assert key.removeprefix("irk_") not in table
    assert output_of(run("disable", "acme", "--json"))["previous_key_until"] is None


@pytest.mark.parametrize("options", [(), ("--overlap", "0"), ("--overlap", "0h")])
def test_a_rotation_without_an_overlap_ends_the_one_before(run: Run, options: tuple[str, ...]) -> None:
    """The default is none: both older keys are refused at once, and a note says so of the one that overlapped."""
    first = run("rotate-key", "acme", "--overlap", "1h", "--json")
    assert "has ended" not in first.stderr
    second = run("rotate-key", "acme", "--json", *options)
    assert output_of(second)["previous_key_until"] is None
    until = output_of(first)["previous_key_until"]
    assert f"The key before the previous one, which was to be accepted until {until}, has ended." in second.stderr
    assert listed(run)["previous_key_until"] is None


@pytest.mark.parametrize(
    "overlap", ["-1", "2161", "2161h", "1d", "24 h", "24H", "h", "", "1.5", "٢٤", "1h30m", "1e2", "+1"]
)
@pytest.mark.parametrize("command", ["rotate-key", "rotate-client"])
def test_an_overlap_that_cannot_be_read_is_refused(run: Run, command: str, overlap: str) -> None:
    """The command exits 2 and says what it takes; the key stays."""
    result = run(command, "acme", "--overlap", overlap)
    assert result.exit_code == 2
    assert "from 0 to 2160, such as 24h" in " ".join(result.output.replace("│", " ").split())
    assert listed(run)["rotated_at"] is None


def test_a_rotation_names_a_missing_hub(run: Run) -> None:
    """The command exits 1."""
    result = run("rotate-key", "absent", "--overlap", "24h")
    assert (result.exit_code, str(result.exception)) == (1, "there is no hub named 'absent'")
