"""What a candidate would make of what hubs have submitted."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, update

from db import contracts, hubs, submissions
from db.engine import Database
from db.tables import annotations, interaction_events, rejected_submissions
from db.tables import interaction_reporting_contracts as contracts_table
from handlers.contracts.rehearsals import (
    EXAMPLES,
    LONGEST_ERROR,
    LONGEST_NAME,
    NEWLY_FAILS,
    OTHERS,
    OUTCOMES,
    Rehearsal,
    rehearse,
    total,
)
from openapi.contract import Contract, ContractError
from tests.examples import EVENT, NEWEST
from tests.handlers.conftest import ANNOTATION, BASE
from tests.service import CONTRACTS

SENT = {"occurred_at": "2026-03-31T12:00:00Z", "widget_id": EVENT["widget_id"]}
COMMON = SENT | {"contract_version": "1.1"}


def candidate(change: Callable[[dict[str, Any]], object] = lambda _: None, version: str = "1.2") -> Contract:
    """The newest contract with `change` made to its schemas, as `version`."""
    document = CONTRACTS[NEWEST].copy()
    document["info"]["version"] = version
    document["servers"] = [{"url": f"/api/v{version.split('.', maxsplit=1)[0]}"}]
    change(document["components"]["schemas"])
    return Contract.read(json.dumps(document))


def shorter(schemas: dict[str, Any]) -> None:
    """Let view_context_ref be shorter, and metadata empty."""
    schemas["InteractionEvent"]["properties"]["view_context_ref"]["maxLength"] = 3
    schemas["InteractionEvent"]["properties"]["metadata"]["maxProperties"] = 0


def wider(schemas: dict[str, Any]) -> None:
    """Let an event have a mood."""
    schemas["InteractionEvent"]["properties"]["mood"] = {"type": "string"}


def without_annotations(version: str = "1.2") -> Contract:
    """The newest contract without the operation that takes an annotation."""
    document = candidate(version=version).copy()
    del document["paths"]["/annotations"]["post"]
    return Contract.read(json.dumps(document))


@pytest.fixture
def alpha(database: Database) -> UUID:
    """The id of a hub."""
    return hub(database, "alpha")


def hub(database: Database, name: str) -> UUID:
    """The id of a new hub."""
    with database.begin() as connection:
        return hubs.create(connection, name)[0].id


def event(database: Database, hub_id: UUID, **columns: Any) -> str:
    """The id of a new event."""
    return _written(database, interaction_events, COMMON | {"hub_id": hub_id, "event_type": "clicked"} | columns)


def annotation(database: Database, hub_id: UUID, **columns: Any) -> str:
    """The id of a new annotation."""
    return _written(database, annotations, COMMON | ANNOTATION | {"hub_id": hub_id} | columns)


def rejection(
    database: Database, hub_id: UUID, body: Any, code: str = "invalid_body", kind: str = "event", **columns: Any
) -> str:
    """The id of a new rejection of `body`, bytes or a value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    row = {"hub_id": hub_id, "kind": kind, "code": code, "error": "e", "raw": raw, "contract_version": "1.1"}
    return _written(database, rejected_submissions, row | columns)


def _written(database: Database, table: Any, row: dict[str, Any]) -> str:
    identifier = submissions.new_id()
    with database.begin() as connection:
        connection.execute(insert(table).values(row | {"id": identifier}))
    return identifier


def tried(database: Database, contract: Contract, last: int = 100) -> Rehearsal:
    """A rehearsal, of which nobody wants to know how far it is."""
    return rehearse(database, contract, last, lambda _: None)


def counts(found: Rehearsal) -> dict[tuple[str, str, str], dict[str, int]]:
    """What each group has counted."""
    return {key: dict(group.counts) for key, group in found.groups.items()}


def examples(found: Rehearsal) -> list[tuple[str, str, str | None]]:
    """What is told of each example, without the words."""
    return [(one.outcome, one.id, one.pointer) for group in found.groups.values() for one in group.examples]


def test_a_wrong_candidate_is_caught(database: Database, alpha: UUID) -> None:
    """By hub and type, each with its number and with events that would fail, and why."""
    beta = hub(database, "beta")
    fine = event(database, alpha, view_context_ref="/ab", metadata={})
    long = event(database, alpha, view_context_ref="/abc")
    full = event(database, beta, event_type="viewed", metadata={"a": None})
    found = tried(database, candidate(shorter))
    assert (found.candidate, found.governing) == ("1.2", "1.1")
    assert counts(found) == {
        ("alpha", "event", "clicked"): {"newly_fails": 1, "unchanged": 1},
        ("beta", "event", "viewed"): {"newly_fails": 1},
    }
    assert examples(found) == [("newly_fails", full, "/metadata"), ("newly_fails", long, "/view_context_ref")]
    assert found.groups["alpha", "event", "clicked"].examples[0].error == (
        "view_context_ref has 4 characters; the limit is 3"
    )
    assert fine not in str(found)


def test_what_governs_finds_nothing_new_in_what_it_let_in(start_service: Callable[..., Any]) -> None:
    """Rows make bodies again that the contract accepts as it did, with every field and by every way."""
    everything = {
        "actor_id": str(uuid4()).upper(),
        "actor_type": "user",
        "view_context_ref": "/é",
        "metadata": {"a": [1.5, 10**40, {"b": None}], "": ""},
        "occurred_at": "2026-03-31T23:59:60.1234567+00:00",
    }
    with start_service() as service, service.client() as client:
        stored = client.post(f"{BASE}/interaction-events", json=EVENT | everything | {"client_event_id": "e"})
        assert stored.status_code == 201
        about = everything | {"event_id": stored.json()["id"], "severity": "low", "client_annotation_id": "a"}
        for item in (about, {}):
            assert client.post(f"{BASE}/annotations", json=ANNOTATION | item).status_code == 201
        several = [EVENT, EVENT | {"mood": "x"}, EVENT | {"event_type": "unknown"}]
        assert client.post(f"{BASE}/interaction-events/batch", json=several).status_code == 422
        client.post(f"{BASE}/interaction-events", content=b"{", headers={"Content-Type": "application/json"})
        found = [tried(service.database, contract) for contract in (CONTRACTS[NEWEST], candidate(wider))]
        (name,) = {hub for hub, _, _ in found[0].groups}
    expected = {
        (name, "event", "clicked"): {"unchanged": 2},
        (name, "annotation", "praise"): {"unchanged": 2},
        (name, "rejected event", "clicked"): {"refused_by_both": 1},
        (name, "rejected event", "unknown"): {"unchanged": 1},
        (name, "rejected event", "malformed_json"): {"refused_by_both": 1},
    }
    assert counts(found[0]) == expected
    assert counts(found[1]) == expected | {(name, "rejected event", "clicked"): {"newly_passes": 1}}


def test_fields_that_no_column_holds_are_tried(database: Database, alpha: UUID) -> None:
    """What an older contract let in, and neither the one that governs nor the candidate does, is not new."""
    moody = event(database, alpha, additional_fields={"mood": "x"})
    assert counts(tried(database, candidate())) == {("alpha", "event", "clicked"): {"refused_by_both": 1}}
    with database.begin() as connection:
        contracts.publish(connection, "1.2", candidate(wider).text, "d")
        contracts.activate(connection, "1.2")
    assert examples(tried(database, CONTRACTS["1.1"])) == [("newly_fails", moody, "/mood")]
    assert counts(tried(database, candidate(wider, "1.3"))) == {("alpha", "event", "clicked"): {"unchanged": 1}}


def test_an_operation_that_is_gone_takes_nothing(database: Database, alpha: UUID) -> None:
    """Every annotation newly fails, and no event."""
    event(database, alpha)
    gone = annotation(database, alpha, category="issue")
    found = tried(database, without_annotations())
    assert counts(found) == {
        ("alpha", "event", "clicked"): {"unchanged": 1},
        ("alpha", "annotation", "issue"): {"newly_fails": 1},
    }
    assert examples(found) == [("newly_fails", gone, None)]


@pytest.mark.parametrize(
    ("body", "code", "outcome"),
    [
        pytest.param(SENT | {"event_type": "clicked", "mood": "x"}, "invalid_body", "newly_passes", id="for its form"),
        pytest.param(SENT | {"event_type": "c", "mood": "x"}, "idempotency_conflict", "unchanged", id="for its key"),
        pytest.param(SENT | {"event_type": "c"}, "event_type_not_registered", "unchanged", id="by the registry"),
        pytest.param(SENT | {"event_type": "c"}, "invalid_body", "unchanged", id="by its type, or another contract"),
        pytest.param(SENT | {"event_type": "c", "moods": "x"}, "invalid_body", "refused_by_both", id="by both"),
        pytest.param(SENT | {"event_type": "", "metadata": {}}, "invalid_body", "refused_by_both", id="empty"),
        pytest.param(
            SENT | {"event_type": "c", "metadata": {"a": 1}}, "widget_not_registered", "newly_fails", id="newly"
        ),
        pytest.param(b"{", "malformed_json", "refused_by_both", id="no JSON"),
        pytest.param(b"[" * 100_000, "malformed_json", "refused_by_both", id="far too deep"),
        pytest.param(b"\xff\x00", "malformed_json", "refused_by_both", id="no text"),
    ],
)
def test_what_was_rejected_is_tried(database: Database, alpha: UUID, body: Any, code: str, outcome: str) -> None:
    """Only what was rejected for its form can newly pass; the contract says what is wrong, also with the candidate."""

    def change(schemas: dict[str, Any]) -> None:
        wider(schemas)
        schemas["InteractionEvent"]["properties"]["metadata"]["maxProperties"] = 0

    identifier = rejection(database, alpha, body, code)
    found = tried(database, candidate(change))
    name = (isinstance(body, dict) and body["event_type"]) or code
    assert counts(found) == {("alpha", "rejected event", name): {outcome: 1}}
    pointer = {"newly_passes": "/mood", "newly_fails": "/metadata"}.get(outcome)
    assert examples(found) == ([(outcome, identifier, pointer)] if pointer else [])


def test_a_rejection_is_tried_as_what_it_was(database: Database, alpha: UUID) -> None:
    """An annotation is no event; a whole batch is not tried, nor what a replay has stored."""
    body = SENT | {"category": "praise", "body": "b"}
    rejection(database, alpha, body, kind="annotation")
    rejection(database, alpha, [body], kind="annotation-batch")
    rejection(database, alpha, body, kind="annotation", replayed_at="2026-03-31T12:00:00Z")
    assert counts(tried(database, candidate())) == {("alpha", "rejected annotation", "praise"): {"unchanged": 1}}


def test_what_is_no_name_is_not_told_as_one(database: Database, alpha: UUID) -> None:
    """The code stands in its place; a terminal is sent nothing that it would obey."""
    names = ["", "x" * (LONGEST_NAME + 1), "a\x1b[31m", "a\u202e", 5, None, ["a"]]
    for name in names:
        rejection(database, alpha, SENT | {"event_type": name})
    [(key, group)] = tried(database, candidate()).groups.items()
    assert (key[2], group.counts.total()) == ("invalid_body", len(names))


def test_names_that_are_sent_make_few_groups(database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number they are counted together."""
    monkeypatch.setattr("handlers.contracts.rehearsals.MOST_GROUPS", 2)
    for name in "abcda":
        rejection(database, alpha, SENT | {"event_type": name, "mood": 1})
    found = counts(tried(database, candidate()))
    assert {key[2]: sum(group.values()) for key, group in found.items()} == {"a": 2, "d": 1, OTHERS: 2}


def test_a_body_may_become_larger(database: Database, alpha: UUID) -> None:
    """What was too large newly passes where the candidate allows more."""
    rejection(database, alpha, SENT | {"event_type": "c", "metadata": {"a": "x" * 70_000}}, "content_too_large")
    document = candidate().copy()
    document["paths"]["/interaction-events"]["post"]["requestBody"]["x-body-limit-bytes"] = 100_000
    found = tried(database, Contract.read(json.dumps(document)))
    assert counts(found) == {("alpha", "rejected event", "c"): {"newly_passes": 1}}


def test_the_newest_are_tried(database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of each, page by page, and whoever waits is told of each page."""
    monkeypatch.setattr("handlers.contracts.rehearsals.FIRST_ROWS", 2)
    for name in "abcde":
        event(database, alpha, event_type=name)
    annotation(database, alpha)
    progress: list[int] = []
    found = rehearse(database, candidate(), 3, progress.append)
    assert [name for _, _, name in found.groups] == ["e", "d", "c", "praise"]
    assert progress == [2, 1, 1]
    assert [total(database, last) for last in (1, 3, 100)] == [2, 4, 6]


def test_examples_are_few_and_short(database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each group some, of all groups no more than a number, and of each no more than a few words."""
    fields = dict.fromkeys((f"field {number}" for number in range(50)), "x")
    for name in ["a"] * (EXAMPLES + 2) + ["b"] * 2:
        event(database, alpha, event_type=name, additional_fields=fields)
    with database.begin() as connection:
        document = candidate(lambda schemas: schemas["InteractionEvent"].pop("additionalProperties")).text
        contracts.publish(connection, "1.2", document, "d")
        contracts.activate(connection, "1.2")
    found = tried(database, candidate(version="1.3"))
    assert {key[2]: len(group.examples) for key, group in found.groups.items()} == {"a": EXAMPLES, "b": 2}
    assert {len(one.error) for group in found.groups.values() for one in group.examples} == {LONGEST_ERROR + 1}
    monkeypatch.setattr("handlers.contracts.rehearsals.MOST_EXAMPLES", 3)
    assert len(examples(tried(database, candidate(version="1.3")))) == 3
    assert tried(database, candidate(version="1.3")).count(NEWLY_FAILS) == EXAMPLES + 4


@pytest.mark.usefixtures("version_1_alone")
def test_only_what_the_major_version_took_is_tried(database: Database, alpha: UUID) -> None:
    """A candidate is compared with what it would replace, or follow; what another major version took is left out."""
    event(database, alpha, contract_version="1.0")
    event(database, alpha, contract_version="2.0", event_type="viewed")
    rejection(database, alpha, b"{", contract_version="2.0")
    with database.begin() as connection:
        contracts.publish(connection, "2.0", candidate(version="2.0").text, "d")
    of_v1 = [tried(database, candidate(version=version)) for version in ("1.0", "1.7", "2.0")]
    with database.begin() as connection:
        contracts.activate(connection, "2.0")
    of_v2 = [tried(database, candidate(version=version)) for version in ("2.1", "3.0")]
    of_v1.append(tried(database, candidate(version="1.2")))
    assert [(found.governing, [key[2] for key in found.groups]) for found in of_v1] == [("1.1", ["clicked"])] * 4
    expected = ("2.0", ["viewed", "invalid_body"])
    assert [(found.governing, [key[2] for key in found.groups]) for found in of_v2] == [expected] * 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (delete(contracts_table), r"no contract is active that 1\.2 could follow"),
        (update(contracts_table).values(document="a: b"), r"the row of contract 1\.1 cannot be read: the document"),
    ],
    ids=["none", "broken"],
)
def test_without_a_contract_to_compare_with_there_is_nothing_to_say(
    database: Database, change: Any, words: str
) -> None:
    """The error says what is missing."""
    with database.begin() as connection:
        connection.execute(change)
    with pytest.raises(ContractError, match=words):
        tried(database, candidate())


def test_nothing_was_submitted(database: Database) -> None:
    """Nothing would become of it."""
    found = tried(database, candidate(shorter))
    assert (found.groups, [found.count(outcome) for outcome in OUTCOMES]) == ({}, [0] * 4)


def test_a_hub_that_is_not_there_is_told_by_its_id(database: Database) -> None:
    """Somebody has deleted its row."""
    event(database, UUID(int=9))
    assert list(tried(database, candidate()).groups) == [(str(UUID(int=9)), "event", "clicked")]
