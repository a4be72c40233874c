"""The ways back from a mistake, as a reviewer goes them: no hub sees an error meanwhile."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from db import contracts
from db.engine import Database
from db.errors import Refused
from db.tables import interaction_events
from openapi.contract import Contract
from scripts.cli import app
from tests.examples import EVENT, NEWEST
from tests.service import CONTRACTS
from tests.waiting import wait_until

Run = Callable[..., Result]
Send = Callable[..., httpx.Response]
EVENTS = "/api/v1/interaction-events"


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `contract` with arguments on the test's own database. Its exceptions are raised."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(app, ["contract", *arguments], catch_exceptions=False)


@pytest.fixture
def hub(start_service: Callable[..., Any]) -> Iterator[httpx.Client]:
    """The client of a hub of a running service."""
    with (
        start_service() as service,
        httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {service.key}"}) as client,
    ):
        yield client


def version(number: str, **properties: Any) -> Contract:
    """The newest contract of version 1 with other `properties` of an event, as version `number`."""
    document = CONTRACTS[NEWEST].copy()
    document["info"]["version"] = number
    document["components"]["schemas"]["InteractionEvent"]["properties"] |= properties
    return Contract.read(json.dumps(document))


def text_field(description: str) -> dict[str, Any]:
    """The schema of an optional text."""
    return {"title": description, "type": "string", "maxLength": 20, "description": f"{description}.", "example": "a"}


def sent(hub: httpx.Client, served: str, **fields: Any) -> str:
    """The id of an event that the hub has sent as soon as contract `served` governs; each answer before is good too."""

    def governs() -> bool:
        answer = hub.post(EVENTS, json=EVENT)
        assert answer.status_code == 201, answer.text
        return answer.headers["contract-version"] == served

    wait_until(governs)
    answer = hub.post(EVENTS, json=EVENT | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def refusal(run: Run, *arguments: str) -> str:
    """The words with which a command is refused."""
    with pytest.raises(Refused) as refused:
        run(*arguments)
    return str(refused.value)


def test_a_version_that_was_rolled_back_binds_no_later_one(run: Run, hub: httpx.Client, tmp_path: Path) -> None:
    """Each refusal names the command that helps; then the next minor version is published and served."""
    mistake, following = tmp_path / "1.18.json", tmp_path / "1.40.json"
    mistake.write_text(version("1.18", mood=text_field("Mood")).text)
    following.write_text(version("1.40", remark=text_field("Remark")).text)
    assert run("publish", str(mistake)).exit_code == 0
    assert run("activate", "1.18").exit_code == 0
    identifier = sent(hub, "1.18", mood="calm")
    assert run("rollback", "--major", "1", "--why", "Too early.").exit_code == 0
    sent(hub, NEWEST)
    remedy = "'interaction-reporting contract withdraw 1.18' lets it bind no later version"
    words = refusal(run, "publish", str(following))
    assert "the version must be 2.0 and not 1.40, because of changes from 1.18" in words
    assert words.splitlines()[-1] == f"contract 1.18 was rolled back: if it was a mistake, {remedy}"
    for command in (["deprecate", "1.18", "--sunset", "2999-01-01"], ["retire", "1.18"]):
        assert remedy in refusal(run, *command)
    assert run("withdraw", "1.18", "--why", "Too early.").exit_code == 0
    (step,) = [row for row in json.loads(run("history", "--json").stdout) if row["action"] == "withdraw"]
    assert (step["status_before"], step["status_after"]) == ("superseded", "withdrawn")
    assert "1.18" not in run("status").stdout
    assert run("publish", str(following)).exit_code == 0
    assert run("activate", "1.40").exit_code == 0
    sent(hub, "1.40", remark="good")
    kept = hub.get(f"{EVENTS}/{identifier}").json()
    assert (kept["mood"], kept["contract_version"]) == ("calm", "1.18")
    assert "## 1.40: minor change from 1.1\n" in run("changelog", "1.40").stdout
    assert refusal(run, "activate", "1.18").startswith("contract 1.18 is withdrawn")
    assert refusal(run, "publish", str(mistake)).startswith("contract 1.18 is withdrawn")
    listed = {each["contract_version"]: each["status"] for each in json.loads(run("list", "--json").stdout)}
    assert (listed["1.18"], listed["1.40"]) == ("withdrawn", "active")


def test_a_draft_with_a_typing_error_costs_no_number(run: Run, hub: httpx.Client, tmp_path: Path) -> None:
    """The refusal of the better document names the command; what is served is never discarded."""
    file = tmp_path / "1.2.json"
    file.write_text(version("1.2", mood=text_field("Modo")).text)
    assert run("publish", str(file)).exit_code == 0
    file.write_text(version("1.2", mood=text_field("Mood")).text)
    assert refusal(run, "publish", str(file)).endswith("or 'interaction-reporting contract discard 1.2'")
    assert run("discard", "1.2", "--why", "A typing error.").exit_code == 0
    assert run("publish", str(file)).exit_code == 0
    assert run("activate", "1.2").exit_code == 0
    sent(hub, "1.2", mood="calm")
    assert "contract rollback --major 1' first" in refusal(run, "discard", "1.2")


@pytest.mark.usefixtures("version_1_alone")
def test_a_widened_version_is_withdrawn_when_its_rows_can_be_read(
    run: Run, hub: httpx.Client, database: Database, tmp_path: Path
) -> None:
    """A version of an earlier release accepted what no record says: its rollback warns, and it is not withdrawn before.

    Publishing it is refused today, so it is stored here without the command.
    """
    actor_type = {"type": "string", "description": "The kind of the actor.", "enum": ["user", "agent", "bot"]}
    widened, following = version("1.18", actor_type=actor_type), tmp_path / "1.40.json"
    file = tmp_path / "1.18.json"
    file.write_text(widened.text)
    following.write_text(version("1.40", remark=text_field("Remark")).text)
    assert 'accepts "bot" as actor_type' in refusal(run, "publish", str(file))
    with database.begin() as connection:
        contracts.publish(connection, "1.18", widened.text, widened.digest)
    assert run("activate", "1.18").exit_code == 0
    identifier = sent(hub, "1.18", actor_type="bot")
    assert hub.get(f"{EVENTS}/{identifier}").json()["actor_type"] == "bot"
    done = run("rollback", "--major", "1")
    assert done.exit_code == 0
    assert "Warning: the records of contract 1.1 cannot say what is in 1 row stored before" in done.stderr
    assert f"such as event {identifier}: actor_type" in done.stderr
    sent(hub, NEWEST)
    assert "interaction-reporting contract withdraw 1.18" in refusal(run, "publish", str(following))
    words = refusal(run, "withdraw", "1.18")
    assert words.startswith(
        "contract 1.18 cannot be withdrawn: 1 row stored under it could not be answered with by contract 1.1, "
        f"such as event {identifier}: actor_type"
    )
    assert hub.get(f"{EVENTS}/{identifier}").status_code == 200
    with database.begin() as connection:
        connection.execute(delete(interaction_events).where(interaction_events.c.id == identifier))
    assert run("withdraw", "1.18").exit_code == 0
    assert run("publish", str(following)).exit_code == 0
    assert run("activate", "1.40").exit_code == 0
    sent(hub, "1.40", remark="good")
