"""The command that prints the card of a contract."""

import pytest
from typer.testing import CliRunner

from db.engine import Database
from db.errors import NotFound
from handlers import declarations
from scripts.cli import app


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_card_is_printed_from_the_row(database: Database, database_url: str, version: str) -> None:
    """Exactly it, so that it can be kept in a file."""
    done = CliRunner().invoke(app, ["contract", "card", version], env={"IR_DATABASE_URL": database_url})
    with database.begin() as connection:
        assert (done.exit_code, done.stdout) == (0, declarations.card(connection, version))


def test_a_contract_that_is_not_there_has_no_card(database_url: str) -> None:
    """The error names it; `main` prints it and exits 1."""
    done = CliRunner().invoke(app, ["contract", "card", "9.9"], env={"IR_DATABASE_URL": database_url})
    assert isinstance(done.exception, NotFound)
    assert (str(done.exception), done.stdout) == ("there is no contract '9.9' in the database", "")
