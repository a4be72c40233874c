"""The whole life of a contract by its pages: published, compared, rehearsed, activated, rolled back and retired."""

import time
from typing import Any

import httpx

from db import contracts
from openapi.contract import Contract
from tests.examples import EVENT
from tests.handlers.admin.contracts.conftest import (
    CONTRACTS_PAGE,
    document,
    field,
    publish,
    rehearsed,
    row,
    shorter,
    status,
    step,
    wider,
)
from tests.page_admins import AdminBrowser, text_of
from tests.service import Service

EVENTS = "/api/v1/interaction-events"


def sent(service: Service, until: str | None = None, **fields: Any) -> httpx.Response:
    """The response to an event; with `until`, the first one of that contract."""
    ends = time.monotonic() + 10
    while True:
        response = httpx.post(service.url + EVENTS, json=EVENT | fields, headers=service.authorization)
        if until is None or response.headers.get("contract-version") == until:
            return response
        assert time.monotonic() < ends, response.headers
        time.sleep(0.05)


def test_a_contract_is_published_compared_rehearsed_and_activated(own: Service, owner: AdminBrowser) -> None:
    """Each page leads to the next, and the service follows; a roll back undoes it."""
    assert sent(own).status_code == 201
    assert sent(own, mood="calm").status_code == 422
    checked = publish(owner, document(wider), "check")
    assert checked.status_code == 200
    assert "Contract 1.2 may be published: its number is high enough for what it changes." in text_of(checked)
    assert "From 1.1 to 1.2" in text_of(checked)
    published = publish(owner, document(wider), why="moods")
    assert (published.status_code, published.headers["location"]) == (303, f"{CONTRACTS_PAGE}/1.2")
    assert status(own, "1.2") == "draft"
    page = owner.get(f"{CONTRACTS_PAGE}/1.2")
    assert "Contract 1.2 is published as a draft. Rehearse it next." in text_of(page)
    assert "It was never rehearsed." in text_of(page)
    compared = owner.get(f"{CONTRACTS_PAGE}/compare?old=1.1&new=1.2")
    assert "Every request that the old version accepts is still accepted" in text_of(compared)
    result = rehearsed(owner, "1.2")
    assert "None of 2 submissions would newly fail." in text_of(result)
    assert "Would newly pass 1 " in text_of(result)
    before = text_of(owner.get(f"{CONTRACTS_PAGE}/1.2/activate"))
    assert "Contract 1.2 decides what major version 1 accepts and answers, in place of 1.1" in before
    assert "on 2 submissions, compared with 1.1: none would newly fail." in before
    assert step(owner, "1.2", "activate", why="it is time").status_code == 303
    assert sent(own, until="1.2", mood="calm").status_code == 201
    assert (status(own, "1.1"), status(own, "1.2")) == ("superseded", "active")
    log = text_of(owner.get("/admin/audit?kind=contract"))
    for words in ("publish: contract 1.2 moods", "rehearse: contract 1.2", "activate: contract 1.2 it is time"):
        assert words in log
    assert "admin:olga" in log
    assert step(owner, "1.2", "rollback").status_code == 303
    assert sent(own, until="1.1").status_code == 201
    assert status(own, "1.2") == "superseded"


def test_a_rehearsal_shows_what_would_newly_fail_by_hub(own: Service, owner: AdminBrowser) -> None:
    """To activate it nevertheless, a box must be ticked that names the number."""
    assert sent(own, view_context_ref="/board").status_code == 201
    contract = Contract.read(document(shorter))
    with own.database.begin() as connection:  # as plain SQL can
        contracts.publish(connection, contract.version, contract.text, contract.digest)
    assert "Activate it without a rehearsal." in text_of(owner.get(f"{CONTRACTS_PAGE}/1.2/activate"))
    result = rehearsed(owner, "1.2")
    words = text_of(result)
    assert "1 of 1 submissions would newly fail." in words
    assert "view_context_ref has 6 characters; the limit is 3" in words
    page = owner.get(f"{CONTRACTS_PAGE}/1.2/activate")
    assert "compared with 1.1: 1 of the tried submissions would newly fail." in text_of(page)
    refused = step(owner, "1.2", "activate")
    assert refused.status_code == 422
    assert "Tick this, or leave the contract as it is." in text_of(refused)
    refused = step(owner, "1.2", "activate", despite="Activate it without a rehearsal. Hubs may be refused.")
    assert refused.status_code == 422
    assert status(own, "1.2") == "draft"
    assert step(owner, "1.2", "activate", despite=field(page, "despite")).status_code == 303
    assert sent(own, until="1.2", view_context_ref="/board").status_code == 422


def test_a_contract_is_deprecated_and_retired(own: Service, owner: AdminBrowser) -> None:
    """Each page says what hubs will get, and which hubs; a deprecation can be withdrawn, and a retirement undone."""
    assert sent(own).status_code == 201
    time.sleep(1.5)  # requests are counted every second
    page = owner.get(f"{CONTRACTS_PAGE}/1.1/deprecate")
    words = text_of(page)
    assert "Every answer of major version 1 has the headers Deprecation and Sunset from now on." in words
    assert "leads to version 2.0 at /api/v2" in words
    assert "Altogether 1 requests of 1 hub." in words
    assert step(owner, "1.1", "deprecate", sunset="2125-01-01").status_code == 303
    assert row(own, "1.1").status == "deprecated"
    assert "Sunset: Mon, 01 Jan 2125 00:00:00 GMT" in text_of(owner.get(f"{CONTRACTS_PAGE}/1.1/withdraw-deprecation"))
    assert step(owner, "1.1", "withdraw-deprecation").status_code == 303
    assert status(own, "1.1") == "active"
    assert step(owner, "1.1", "deprecate", sunset="2125-01-01T12:00:00Z").status_code == 303
    page = owner.get(f"{CONTRACTS_PAGE}/1.1/retire")
    assert "Every request to major version 1 gets 410 Gone" in text_of(page)
    assert step(owner, "1.1", "retire").status_code == 422
    assert status(own, "1.1") == "deprecated"
    assert step(owner, "1.1", "retire", despite=field(page, "despite")).status_code == 303
    ends = time.monotonic() + 10
    while sent(own).status_code != 410:
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert "in place of 410 Gone" in text_of(owner.get(f"{CONTRACTS_PAGE}/1.1/activate"))
    assert step(owner, "1.1", "activate").status_code == 303
    assert sent(own, until="1.1").status_code == 201
