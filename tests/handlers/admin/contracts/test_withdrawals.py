"""The ways back from a mistake by their pages: a version is withdrawn, a draft is discarded; and stored rows count."""

import re
from typing import Any

import pytest
from sqlalchemy import delete, update

from db import contracts
from db.contracts import ContractRow
from db.errors import NotFound
from db.tables import contract_rehearsals, interaction_events
from handlers.admin.contracts import stored_rows
from openapi.contract import Contract
from tests.handlers.admin.contracts.conftest import (
    CONTRACTS_PAGE,
    document,
    field,
    publish,
    rehearsed,
    row,
    status,
    step,
    wider,
)
from tests.handlers.admin.contracts.test_life import sent
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.service import Service

BOT = {"type": "string", "description": "The kind of the actor.", "enum": ["user", "agent", "bot"]}


def with_bots(schemas: dict[str, Any]) -> None:
    """Let an event be a bot's, which no record says."""
    schemas["InteractionEvent"]["properties"]["actor_type"] = BOT


def narrower(schemas: dict[str, Any]) -> None:
    """Let no record say that an agent acted."""
    schemas["RecordedActorType"]["enum"].remove("agent")


def stored(service: Service, text: str, is_activated: bool = True) -> ContractRow:
    """The row of a document, as plain SQL can store it; an earlier release published such ones."""
    contract = Contract.read(text)
    with service.database.begin() as connection:
        contracts.publish(connection, contract.version, contract.text, contract.digest)
        if is_activated:
            contracts.activate(connection, contract.version)
        return contracts.get(connection, contract.version)


def steps(browser: AdminBrowser, version: str) -> list[str]:
    """The steps that the page of a version offers."""
    return re.findall(f'href="{CONTRACTS_PAGE}/{version}/([a-z-]+)">', browser.get(f"{CONTRACTS_PAGE}/{version}").text)


def test_a_version_that_was_rolled_back_is_withdrawn(own: Service, owner: AdminBrowser) -> None:
    """It says so wherever it is listed, keeps its row, and binds no later version."""
    assert publish(owner, document(wider)).status_code == 303
    rehearsed(owner, "1.2")
    assert step(owner, "1.2", "activate").status_code == 303
    sent(own, until="1.2", mood="calm")
    assert step(owner, "1.2", "rollback").status_code == 303
    sent(own, until="1.1")
    assert steps(owner, "1.2") == ["activate", "withdraw-version"]
    page = owner.get(f"{CONTRACTS_PAGE}/1.2/withdraw-version")
    assert "Later versions need not keep what 1.2 promised" in text_of(page)
    assert "Take back the deprecation" not in text_of(page)
    assert "interaction-reporting contract withdraw 1.2" in text_of(page)
    form = {"seen": field(page, "seen"), "typed": "1.2", "why": "too early"}
    assert owner.post(f"{CONTRACTS_PAGE}/1.2/withdraw-version", form | {"typed": "1.1"}).status_code == 422
    assert status(own, "1.2") == "superseded"
    done = owner.post(f"{CONTRACTS_PAGE}/1.2/withdraw-version", form)
    assert (done.status_code, done.headers["location"]) == (303, f"{CONTRACTS_PAGE}/1.2")
    assert status(own, "1.2") == "withdrawn"
    page = owner.get(f"{CONTRACTS_PAGE}/1.2")
    assert "Version 1.2 is withdrawn: it binds no later version." in text_of(page)
    assert "superseded → withdrawn" in text_of(page)
    assert "Rehearse 1.2" not in text_of(page)
    withdrawn_at = row(own, "1.2").withdrawn_at
    assert withdrawn_at is not None
    assert f"withdrawn since {withdrawn_at:%-d %b %Y, %H:%M:%S} UTC" in text_of(page)
    assert steps(owner, "1.2") == []
    assert owner.post(f"{CONTRACTS_PAGE}/1.2/withdraw-version", form).status_code == 409
    assert owner.get(f"{CONTRACTS_PAGE}/1.2/activate").status_code == 409
    assert re.search(r"1\.2 withdrawn \d", text_of(owner.get(CONTRACTS_PAGE)))
    assert "withdraw: contract 1.2 too early" in text_of(owner.get("/admin/audit?kind=contract"))
    assert publish(owner, document(version="1.3")).status_code == 303


def test_a_version_whose_rows_cannot_be_read_otherwise_is_not_withdrawn(
    own: Service, owner: AdminBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal counts and names them, as the page of the rollback does; so does one that takes too long."""
    stored(own, document(with_bots))
    assert "cannot say" not in text_of(owner.get(f"{CONTRACTS_PAGE}/1.2/rollback"))
    sent(own, until="1.2", actor_type="bot")
    identifier = str(sent(own, actor_type="bot").json()["id"])
    with own.database.begin() as connection:
        connection.execute(delete(interaction_events).where(interaction_events.c.id != identifier))
    warned = text_of(owner.get(f"{CONTRACTS_PAGE}/1.2/rollback"))
    assert "The records of contract 1.1 cannot say what is in 1 row stored before" in warned
    assert f"Event {identifier}: actor_type" in warned
    monkeypatch.setattr(stored_rows, "COUNTING_SECONDS", 0)
    assert "at least 1 row stored before" in text_of(owner.get(f"{CONTRACTS_PAGE}/1.2/rollback"))
    assert step(owner, "1.2", "rollback").status_code == 303
    refused = step(owner, "1.2", "withdraw-version")
    assert refused.status_code == 422
    words = "Contract 1.2 cannot be withdrawn: 1 row stored under it could not be answered with by contract 1.1"
    assert words in text_of(refused)
    assert f"such as event {identifier}: actor_type" in text_of(refused)
    assert status(own, "1.2") == "superseded"
    with own.database.begin() as connection:
        connection.execute(update(interaction_events).values(actor_type="user"))
    monkeypatch.setattr(stored_rows, "WITHDRAWING_SECONDS", 0.0)
    refused = step(owner, "1.2", "withdraw-version")
    assert "0 seconds are too few" in text_of(refused)
    assert "'interaction-reporting contract withdraw 1.2 --seconds 600'" in text_of(refused)
    monkeypatch.undo()
    assert step(owner, "1.2", "withdraw-version").status_code == 303


def test_a_draft_is_discarded(own: Service, owner: AdminBrowser) -> None:
    """With its number; a withdrawn draft as well, and nothing that was served."""
    assert publish(owner, document(wider)).status_code == 303
    assert steps(owner, "1.2") == ["activate", "withdraw-version", "discard"]
    assert step(owner, "1.2", "withdraw-version").status_code == 303
    assert steps(owner, "1.2") == ["discard"]
    page = owner.get(f"{CONTRACTS_PAGE}/1.2/discard")
    assert "The number 1.2 is free for another document." in text_of(page)
    form = {"seen": field(page, "seen"), "typed": "1.2", "why": "a typing error"}
    done = owner.post(f"{CONTRACTS_PAGE}/1.2/discard", form)
    assert (done.status_code, done.headers["location"]) == (303, CONTRACTS_PAGE)
    assert "Contract 1.2 is deleted, and its number is free again." in text_of(owner.get(CONTRACTS_PAGE))
    with pytest.raises(NotFound):
        status(own, "1.2")
    assert owner.post(f"{CONTRACTS_PAGE}/1.2/discard", form).status_code == 404
    assert "discard: contract 1.2 a typing error" in text_of(owner.get("/admin/audit?kind=contract"))
    assert publish(owner, document()).status_code == 303
    assert owner.get(f"{CONTRACTS_PAGE}/1.1/discard").status_code == 409


def test_a_version_that_was_followed_is_not_withdrawn(own: Service, owner: AdminBrowser) -> None:
    """Nor one that governs; the page offers it to owners alone."""
    for version in ("1.0", "1.1"):
        assert "withdraw-version" not in steps(owner, version)
        assert owner.get(f"{CONTRACTS_PAGE}/{version}/withdraw-version").status_code == 409
    assert publish(owner, document(wider)).status_code == 303
    with signed_in(own, "erna", "editor") as editor:
        assert steps(editor, "1.2") == []
        assert editor.get(f"{CONTRACTS_PAGE}/1.2/discard").status_code == 403


def test_a_rehearsal_counts_stored_rows_that_it_could_not_answer_with(own: Service, owner: AdminBrowser) -> None:
    """To activate it nevertheless, a box must be ticked that names the number; without counts it does not count."""
    identifier = sent(own, actor_type="agent").json()["id"]
    stored(own, document(narrower), is_activated=False)
    result = text_of(rehearsed(owner, "1.2"))
    assert "1 stored row could newly not be answered with" in result
    assert "Rows that it could not answer with 1 Newly so 1" in result
    assert f"event {identifier} : actor_type" in result
    page = owner.get(f"{CONTRACTS_PAGE}/1.2/activate")
    assert "compared with 1.1: 1 stored row could newly not be answered with." in text_of(page)
    assert step(owner, "1.2", "activate").status_code == 422
    assert status(own, "1.2") == "draft"
    with own.database.begin() as connection:
        connection.execute(update(contract_rehearsals).values(unanswerable=None, newly_unanswerable=None))
    assert "Activate it without a rehearsal." in text_of(owner.get(f"{CONTRACTS_PAGE}/1.2/activate"))
    with own.database.begin() as connection:
        connection.execute(update(contract_rehearsals).values(unanswerable=1, newly_unanswerable=1))
    assert step(owner, "1.2", "activate", despite=field(page, "despite")).status_code == 303
