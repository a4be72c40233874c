"""The files with credentials: what is read from each form of them, and that every other file is a usage error."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from db.engine import Database
from scripts.cli import app
from scripts.trials import credentials

KEY = "irk_a-key"
ID, SECRET = "irc_an-id", "irs_a-secret"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a file that a test writes."""
    return tmp_path / "credentials"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(KEY, id="bare"),
        pytest.param(f"{KEY}\n", id="a line"),
        pytest.param(f"{KEY}\r\n", id="a line of Windows"),
        pytest.param(f"\ufeff{KEY}\r\n", id="a byte order mark"),
        pytest.param(f"\n  {KEY} \n\n", id="blanks around it"),
        pytest.param(json.dumps({"name": "a hub", "api_key": KEY}), id="JSON"),
        pytest.param(json.dumps({"api_key": KEY}, indent=2) + "\n", id="JSON of several lines"),
    ],
)
def test_a_key_is_read(text: str, file: Path) -> None:
    """From a line of its own or from JSON."""
    file.write_bytes(text.encode())
    assert credentials.api_key(file) == KEY


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n", id="blank"),
        pytest.param(f"{KEY}\n{KEY}\n", id="two lines"),
        pytest.param(f"key {KEY}", id="two words"),
        pytest.param(f"{KEY}\x00", id="a control character"),
        pytest.param("irk_schlüssel", id="not ASCII"),
        pytest.param('{"name": "a hub"}', id="JSON without a key"),
        pytest.param('{"api_key": null}', id="null"),
        pytest.param('{"api_key": 7}', id="a number"),
        pytest.param('{"api_key": ""}', id="an empty key"),
        pytest.param('{"api_key":"irk_a"', id="half of the JSON"),
        pytest.param('{"api_key":' * 100_000, id="deep JSON"),
    ],
)
def test_a_file_without_a_key_is_a_usage_error(text: str, file: Path) -> None:
    """The error names the file and the command that makes one."""
    file.write_text(text)
    with pytest.raises(typer.BadParameter, match=r"credentials holds no key: .*hub create NAME --json > FILE"):
        credentials.api_key(file)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{ID}\n{SECRET}", id="two lines"),
        pytest.param(f"{ID}\r\n{SECRET}\r\n", id="two lines of Windows"),
        pytest.param(f"\n{ID}\n{SECRET}\n\n", id="empty lines around them"),
        pytest.param(json.dumps({"client_id": ID, "hub": "a", "client_secret": SECRET}, indent=2), id="JSON"),
    ],
)
def test_a_client_is_read(text: str, file: Path) -> None:
    """From two lines or from JSON."""
    file.write_bytes(text.encode())
    assert credentials.client(file) == f"{ID}:{SECRET}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(f"{ID}\n", id="no secret"),
        pytest.param(f"{ID} {SECRET}\n", id="one line"),
        pytest.param(f"{ID}\t{SECRET}\n", id="a tab"),
        pytest.param(f"{ID}:{SECRET}\n", id="a colon"),
        pytest.param(f"{ID}\n\n{SECRET}\n", id="an empty line between them"),
        pytest.param(f"{ID} \n{SECRET}\n", id="a blank after the id"),
        pytest.param(f"{ID}\n{SECRET} \n", id="a blank after the secret"),
        pytest.param(f"{ID}\x0b{SECRET}\n", id="another separator"),
        pytest.param(f"{ID}\n{SECRET}\n{SECRET}\n", id="three lines"),
        pytest.param(f"a:b\n{SECRET}\n", id="a colon in the id"),
        pytest.param('{"client_id":"a"\n"client_secret":"b"}', id="JSON that is none"),
        pytest.param('{"client_id": "a"}', id="JSON without a secret"),
        pytest.param('{"client_id": "a", "client_secret": null}', id="a client with a key of its own"),
        pytest.param('{"client_id": "a", "client_secret": 7}', id="a number"),
        pytest.param('{"client_id": "a b", "client_secret": "c"}', id="a blank in JSON"),
    ],
)
def test_a_file_without_a_client_is_a_usage_error(text: str, file: Path) -> None:
    """The error names the file and the command that makes one."""
    file.write_text(text)
    with pytest.raises(typer.BadParameter, match=r"credentials holds no client .*hub issue-client NAME"):
        credentials.client(file)


@pytest.mark.parametrize("read", [credentials.api_key, credentials.client])
def test_an_unreadable_file_is_a_usage_error(read: Callable[[Path], str], tmp_path: Path) -> None:
    """For instance a directory."""
    with pytest.raises(typer.BadParameter, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_the_output_of_our_commands_is_read(database: Database, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output of `hub create --json` and of `hub issue-client --json`, as it is."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)

    def output(*arguments: str) -> Any:
        result = CliRunner().invoke(app, ["hub", *arguments, "--json"])
        assert result.exit_code == 0, result.output
        file.write_text(result.stdout)
        return json.loads(result.stdout)

    assert output("create", "acme")["api_key"] == credentials.api_key(file)
    issued = output("issue-client", "acme", "--scopes", "events:write")
    assert f"{issued['client_id']}:{issued['client_secret']}" == credentials.client(file)
