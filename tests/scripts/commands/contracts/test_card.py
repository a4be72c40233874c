"""The commands that print the card of a contract, and the changelog of all contracts."""

import pytest
from typer.testing import CliRunner

from db import contracts
from db.engine import Database
from db.errors import NotFound
from handlers.contracts import publications
from scripts.cli import app
from tests.examples import NEWEST
from tests.service import CONTRACTS


@pytest.mark.parametrize("version", CONTRACTS)
def test_the_card_command_prints_the_row(database: Database, database_url: str, version: str) -> None:
    """It prints nothing else, so that the card can be kept in a file."""
    done = CliRunner().invoke(app, ["contract", "card", version], env={"IR_DATABASE_URL": database_url})
    with database.begin() as connection:
        assert (done.exit_code, done.stdout) == (0, publications.card(connection, version))


def test_an_unknown_contract_has_no_card(database_url: str) -> None:
    """The error names it; `main` prints it and exits 1."""
    done = CliRunner().invoke(app, ["contract", "card", "9.9"], env={"IR_DATABASE_URL": database_url})
    assert isinstance(done.exception, NotFound)
    assert (str(done.exception), done.stdout) == ("there is no contract '9.9' in the database", "")


def test_the_changelog_ends_at_the_named_version(database: Database, database_url: str) -> None:
    """The newest version is first; a draft is included only if it is named."""
    draft = CONTRACTS[NEWEST].text.replace('version: "1.1"', 'version: "1.2"', 1)
    with database.begin() as connection:
        contracts.publish(connection, "1.2", draft, "0" * 64)

    def headings(*arguments: str) -> list[str]:
        done = CliRunner().invoke(app, ["contract", "changelog", *arguments], env={"IR_DATABASE_URL": database_url})
        return [line.removeprefix("## ") for line in done.stdout.splitlines() if line.startswith("## ")]

    assert headings() == ["2.0: major change from 1.1", "1.1: minor change from 1.0", "1.0"]
    assert headings("1.0") == ["1.0"]
    assert headings("1.2") == ["1.2: no change from 1.1", "1.1: minor change from 1.0", "1.0"]
