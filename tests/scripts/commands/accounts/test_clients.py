"""The commands for OAuth clients and signing keys, as an operator runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from typer.testing import CliRunner, Result

from db import hubs
from db.engine import Database
from scripts.cli import app

Run = Callable[..., Result]
SCOPES = "events:write events:read"


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the test's own database, which has a hub named acme."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    with database.begin() as connection:
        hubs.create(connection, "acme")
    return lambda *arguments: CliRunner().invoke(app, arguments)


def output_of(result: Result) -> Any:
    """The JSON output of a command that succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def issue(run: Run, *options: str) -> Any:
    """Issue a client and return it."""
    return output_of(run("hub", "issue-client", "acme", "--scopes", SCOPES, "--json", *options))


def test_only_issue_and_rotate_show_a_secret(run: Run) -> None:
    """Each shows a new secret; the list has none."""
    result = run("hub", "issue-client", "acme", "--scopes", f" {SCOPES}  events:read", "--json")
    client = output_of(result)
    assert client["client_secret"].startswith("irs_")
    assert (client["hub"], client["scopes"]) == ("acme", ["events:read", "events:write"])
    assert "Save the secret now" in result.stderr
    rotated = output_of(run("hub", "rotate-client", client["client_id"], "--overlap", "2", "--json"))
    assert rotated["client_secret"] not in ("", client["client_secret"])
    assert rotated["previous_secret_until"] > rotated["rotated_at"]
    again = run("hub", "rotate-client", client["client_id"], "--json")
    until = rotated["previous_secret_until"]
    assert f"The secret before the previous one, which was to be accepted until {until}, has ended." in again.stderr
    (listed,) = output_of(run("hub", "list-clients", "--json"))
    assert "client_secret" not in listed
    assert listed["client_id"] == client["client_id"]
    assert "irs_" not in run("hub", "list-clients").stdout


def test_commands_disable_enable_and_change_a_client(run: Run) -> None:
    """The change is one of scopes; without a change the command exits 2."""
    client_id = issue(run)["client_id"]
    assert output_of(run("hub", "disable-client", client_id, "--json"))["disabled_at"]
    assert output_of(run("hub", "enable-client", client_id, "--json"))["disabled_at"] is None
    changed = output_of(run("hub", "change-client", client_id, "--scopes", "usage:read", "--json"))
    assert changed["scopes"] == ["usage:read"]
    assert run("hub", "change-client", client_id).exit_code == 2


def test_a_client_with_keys_has_no_secret(run: Run, tmp_path: Path) -> None:
    """The output has the ids of its keys; a private key is refused, and so is a wrong JWK Set."""
    key, path = ECKey.generate_key("P-256", {"kid": "one"}), tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    client = issue(run, "--jwks", str(path), "--dpop")
    assert (client["jwks"], client["dpop_bound"]) == (["one"], True)
    assert "client_secret" not in client
    assert run("hub", "rotate-client", client["client_id"]).exit_code == 1
    for content in (
        json.dumps({"keys": [key.as_dict(private=True)]}),
        '{"keys": [{"kty": "oct", "k": "YWJjYWJjYWJjYWJjYWJjYWJjYWJj"}]}',
        '{"keys": []}',
        "{}",
        "nothing",
    ):
        path.write_text(content)
        result = run("hub", "issue-client", "acme", "--scopes", SCOPES, "--jwks", str(path))
        assert result.exit_code == 2
        assert str(key.as_dict(private=True)["d"]) not in result.output
    assert run("hub", "issue-client", "acme", "--scopes", SCOPES, "--jwks", "/nothing").exit_code == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "it is nested more than 32 levels deep"),
        (b'{"keys": [], "keys": []}', 'the name "keys" occurs more than once'),
        (b'{"keys": [NaN]}', "NaN is not a JSON number"),
        (b"\xff", "byte 0 is not UTF-8"),
        (rb'{"keys": [{}, {"kid": "\u0000"}]}', "the character U+0000 cannot be stored (at /keys/1/kid)"),
        (rb'{"keys": [{"kid": "\ud800"}]}', "the character U+D800 cannot be stored (at /keys/0/kid)"),
    ],
    ids=["deep", "a name twice", "NaN", "no UTF-8", "NUL", "a surrogate"],
)
def test_keys_that_cannot_be_stored_as_they_are_read_are_refused(
    run: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    """The command exits 2, and says what is wrong."""
    (path := tmp_path / "keys.json").write_bytes(content)
    result = run("hub", "issue-client", "acme", "--scopes", SCOPES, "--jwks", str(path))
    shown = " ".join(result.output.replace("│", " ").split())
    assert (result.exit_code, words in shown) == (2, True), result.output


def test_a_client_of_a_configured_issuer_is_accepted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of an issuer outside IR_OAUTH_ISSUERS is refused."""
    arguments = ("hub", "accept-client", "acme", "them", "--scopes", SCOPES, "--issuer", "https://issuer.example")
    assert run(*arguments).exit_code == 2
    monkeypatch.setenv("IR_OAUTH_ISSUERS", "https://other.example,https://issuer.example")
    client = output_of(run(*arguments, "--json"))
    assert (client["issuer"], client["client_id"]) == ("https://issuer.example", "them")
    assert run(*arguments).exit_code == 1
    disabled = output_of(run("hub", "disable-client", "them", "--issuer", "https://issuer.example", "--json"))
    assert disabled["disabled_at"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("issue-client", "absent", "--scopes", SCOPES), 1, "there is no hub named 'absent'"),
        (("issue-client", "acme", "--scopes", "event:write"), 1, "no scope 'event:write'; did you mean events:write?"),
        (("issue-client", "acme", "--scopes", "x"), 1, "there is no scope 'x'; choose from events:write, events:read"),
        (("issue-client", "acme", "--scopes", " "), 1, "a client needs a scope"),
        (("issue-client", "acme"), 2, "--scopes"),
        (("rotate-client", "absent"), 1, "there is no client 'absent'"),
        (("rotate-client", "absent", "--overlap", "-1"), 2, "--overlap"),
        (("disable-client", "absent"), 1, "there is no client 'absent'"),
        (("enable-client", "absent", "--issuer", "https://a"), 1, "there is no client 'absent' of https://a"),
    ],
)
def test_a_refused_command_reports_the_reason(run: Run, arguments: tuple[str, ...], status: int, words: str) -> None:
    """The exit status is 1 or 2, and no client is issued."""
    result = run("hub", *arguments)
    failure = str(result.exception) if status == 1 else result.output
    assert (words in failure, result.exit_code) == (True, status), result.output
    assert output_of(run("hub", "list-clients", "--json")) == []


def test_commands_list_rotate_and_revoke_keys(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No output contains a key; with a secret the next one is encrypted."""
    first = output_of(run("signing-key", "rotate", "--json"))
    assert first.keys() == {"kid", "created_at", "expires_at", "is_sealed"}
    monkeypatch.setenv("IR_OAUTH_KEY_SECRET", "A" * 43)
    second = output_of(run("signing-key", "rotate", "--json"))
    assert (first["is_sealed"], second["is_sealed"]) == (False, True)
    listed = output_of(run("signing-key", "list", "--json"))
    assert {key["kid"]: key["expires_at"] is None for key in listed} == {first["kid"]: False, second["kid"]: True}
    assert output_of(run("signing-key", "revoke", first["kid"], "--json"))["expires_at"]
    assert run("signing-key", "revoke", "nothing").exit_code == 1
    monkeypatch.setenv("IR_OAUTH_KEYS_FILE", str(tmp_path / "keys.json"))
    assert "put a new one first in that file" in str(run("signing-key", "rotate").exception)
