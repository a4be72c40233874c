"""The commands that show hubs, as an operator runs them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from db import hub_capability_manifests, hub_totals, hubs
from db.clocks import both
from db.engine import Database
from scripts.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `hub` with arguments on the test's own database, which has two hubs and two manifests."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    with database.begin() as connection:
        acme, _ = hubs.create(connection, "acme")
        hubs.create(connection, "Harbor")
        hubs.disable(connection, "Harbor")
        hub_totals.see(connection, [acme.id], both(connection)[0])
        for number, description in enumerate(("a", "b"), 1):
            entries = [{"name": "clicked", "description": description}]
            manifest = {"event_types": entries, "widgets": []}
            hub_capability_manifests.keep(connection, acme.id, number, manifest, "1.1")
    return lambda *arguments: CliRunner().invoke(app, ["hub", *arguments])


def output_of(result: Result) -> Any:
    """The JSON output of a command that succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), ["acme", "Harbor"]),
        (("--part", "ARB"), ["Harbor"]),
        (("--state", "active"), ["acme"]),
        (("--state", "never seen"), ["Harbor"]),
        (("--state", "disabled", "--part", "acme"), []),
    ],
)
def test_the_list_is_filtered_as_the_page_is(run: Run, options: tuple[str, ...], names: list[str]) -> None:
    """By a part of the name, and by the state."""
    assert [hub["name"] for hub in output_of(run("list", "--json", *options))] == names


def test_show_says_how_a_hub_is(run: Run) -> None:
    """Its state, its last request and its manifests; an unknown one exits 1."""
    shown = output_of(run("show", "acme", "--json"))
    assert (shown["name"], shown["state"], len(shown["manifests"])) == ("acme", "active", 2)
    assert "irk_" not in run("show", "acme").stdout
    assert output_of(run("show", "Harbor", "--json"))["state"] == "disabled"
    assert run("show", "nobody").exit_code == 1


def test_manifests_are_listed_and_compared(run: Run) -> None:
    """A revision that is absent exits 1, half of a comparison 2."""
    assert [row["number"] for row in output_of(run("manifests", "acme", "--json"))] == [2, 1]
    (change,) = output_of(run("manifests", "acme", "--from", "1", "--to", "2", "--json"))
    assert change == {
        "kind": "Event types",
        "name": "clicked",
        "change": "changed",
        "place": "/description",
        "before": '"a"',
        "after": '"b"',
    }
    assert run("manifests", "acme", "--from", "1", "--to", "9").exit_code == 1
    assert run("manifests", "acme", "--from", "1").exit_code == 2
