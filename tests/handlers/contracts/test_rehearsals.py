"""Rehearsals: a candidate validates what hubs have submitted."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, update

from db import contracts, hubs
from db.audit import Author
from db.engine import Database
from db.errors import Refused
from db.ids import new_id
from db.tables import annotations, interaction_events, rejected_submissions
from db.tables import interaction_reporting_contracts as contracts_table
from handlers.contracts.rehearsing import records, withdrawals
from handlers.contracts.rehearsing.rehearsals import (
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
    """Lower the maximum length of view_context_ref, and require metadata to be empty."""
    schemas["InteractionEvent"]["properties"]["view_context_ref"]["maxLength"] = 3
    schemas["InteractionEvent"]["properties"]["metadata"]["maxProperties"] = 0


def wider(schemas: dict[str, Any]) -> None:
    """Allow an event to have a mood."""
    schemas["InteractionEvent"]["properties"]["mood"] = {"type": "string"}


def without_annotations(version: str = "1.2") -> Contract:
    """The newest contract without the operation that accepts an annotation."""
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
    return _insert(database, interaction_events, COMMON | {"hub_id": hub_id, "event_type": "clicked"} | columns)


def annotation(database: Database, hub_id: UUID, **columns: Any) -> str:
    """The id of a new annotation."""
    return _insert(database, annotations, COMMON | ANNOTATION | {"hub_id": hub_id} | columns)


def rejection(
    database: Database, hub_id: UUID, body: Any, code: str = "invalid_body", kind: str = "event", **columns: Any
) -> str:
    """The id of a new rejection of `body`, bytes or a value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    row = {"hub_id": hub_id, "kind": kind, "code": code, "error": "e", "raw": raw, "contract_version": "1.1"}
    return _insert(database, rejected_submissions, row | columns)


def _insert(database: Database, table: Any, row: dict[str, Any]) -> str:
    identifier = new_id()
    with database.begin() as connection:
        connection.execute(insert(table).values(row | {"id": identifier}))
    return identifier


def rehearsed(database: Database, contract: Contract, last: int = 100) -> Rehearsal:
    """A rehearsal that does not report its progress."""
    return rehearse(database, contract, last, lambda _: None)


def counts(rehearsal: Rehearsal) -> dict[tuple[str, str, str], dict[str, int]]:
    """The counts of each group, by its key."""
    return {key: dict(group.counts) for key, group in rehearsal.groups.items()}


def examples(rehearsal: Rehearsal) -> list[tuple[str, str, str | None]]:
    """The outcome, id and pointer of each example."""
    return [
        (example.outcome, example.id, example.pointer)
        for group in rehearsal.groups.values()
        for example in group.examples
    ]


def test_events_that_would_newly_fail_are_reported(database: Database, alpha: UUID) -> None:
    """By hub and type: the number of events that would fail, with examples and the reason."""
    beta = hub(database, "beta")
    fine = event(database, alpha, view_context_ref="/ab", metadata={})
    long = event(database, alpha, view_context_ref="/abc")
    full = event(database, beta, event_type="viewed", metadata={"a": None})
    rehearsal = rehearsed(database, candidate(shorter))
    assert (rehearsal.candidate, rehearsal.governing) == ("1.2", "1.1")
    assert counts(rehearsal) == {
        ("alpha", "event", "clicked"): {"newly_fails": 1, "unchanged": 1},
        ("beta", "event", "viewed"): {"newly_fails": 1},
    }
    assert examples(rehearsal) == [("newly_fails", full, "/metadata"), ("newly_fails", long, "/view_context_ref")]
    assert rehearsal.groups["alpha", "event", "clicked"].examples[0].error == (
        "view_context_ref has 4 characters; the limit is 3"
    )
    assert fine not in str(rehearsal)


def test_the_governing_contract_still_accepts_what_it_accepted(start_service: Callable[..., Any]) -> None:
    """Bodies rebuilt from rows get the same outcome, with every field and from every operation."""
    everything = {
        "actor_id": str(uuid4()).upper(),
        "actor_type": "user",
        "view_context_ref": "/é",
        "metadata": {"a": [1.5, 10**40, {"b": None}], "": ""},
        "occurred_at": "2026-03-31T23:59:60.1234567+00:00",
    }
    with start_service() as service, service.client() as client:
        response = client.post(f"{BASE}/interaction-events", json=EVENT | everything | {"client_event_id": "e"})
        assert response.status_code == 201
        full = everything | {"event_id": response.json()["id"], "severity": "low", "client_annotation_id": "a"}
        for item in (full, {}):
            assert client.post(f"{BASE}/annotations", json=ANNOTATION | item).status_code == 201
        several = [EVENT, EVENT | {"mood": "x"}, EVENT | {"event_type": "unknown"}]
        assert client.post(f"{BASE}/interaction-events/batch", json=several).status_code == 422
        client.post(f"{BASE}/interaction-events", content=b"{", headers={"Content-Type": "application/json"})
        rehearsals = [rehearsed(service.database, contract) for contract in (CONTRACTS[NEWEST], candidate(wider))]
        (name,) = {hub for hub, _, _ in rehearsals[0].groups}
    expected = {
        (name, "event", "clicked"): {"unchanged": 2},
        (name, "annotation", "praise"): {"unchanged": 2},
        (name, "rejected event", "clicked"): {"refused_by_both": 1},
        (name, "rejected event", "unknown"): {"unchanged": 1},
        (name, "rejected event", "malformed_json"): {"refused_by_both": 1},
    }
    assert counts(rehearsals[0]) == expected
    assert counts(rehearsals[1]) == expected | {(name, "rejected event", "clicked"): {"newly_passes": 1}}


def test_fields_without_a_column_are_rehearsed(database: Database, alpha: UUID) -> None:
    """Governing contract and candidate both refuse a field that an older contract accepted: it does not newly fail."""
    moody = event(database, alpha, additional_fields={"mood": "x"})
    assert counts(rehearsed(database, candidate())) == {("alpha", "event", "clicked"): {"refused_by_both": 1}}
    with database.begin() as connection:
        contracts.publish(connection, "1.2", candidate(wider).text, "d")
        contracts.activate(connection, "1.2")
    assert examples(rehearsed(database, CONTRACTS["1.1"])) == [("newly_fails", moody, "/mood")]
    assert counts(rehearsed(database, candidate(wider, "1.3"))) == {("alpha", "event", "clicked"): {"unchanged": 1}}


def test_numbers_that_a_double_does_not_hold_are_rehearsed(database: Database, alpha: UUID) -> None:
    """Stored and rejected ones are compared with the limits of the candidate digit for digit."""
    numbers = [Decimal(text) for text in ("0.1", "0.10000000000000001", "1e-400", "1e400", "-1e400")]
    identifiers = [event(database, alpha, metadata={"n": number}) for number in numbers]
    fields = {"extra": Decimal("0.10000000000000001")}
    event(database, alpha, additional_fields=fields)
    raw = json.dumps(EVENT | {"metadata": {"n": 0}}).encode()
    refused = rejection(database, alpha, raw.replace(b'"n": 0', b'"n": 0.10000000000000001'), code="unstorable_value")

    def limited(schemas: dict[str, Any]) -> None:
        metadata = schemas["InteractionEvent"]["properties"]["metadata"]
        metadata["properties"] = {"n": {"type": "number", "maximum": 0.1}}

    rehearsal = rehearsed(database, candidate(limited))
    assert counts(rehearsal)["alpha", "event", "clicked"] == {"newly_fails": 2, "unchanged": 3, "refused_by_both": 1}
    assert examples(rehearsal) == [
        ("newly_fails", identifiers[3], "/metadata/n"),
        ("newly_fails", identifiers[1], "/metadata/n"),
        ("newly_fails", refused, "/metadata/n"),
    ]


def test_a_removed_operation_accepts_nothing(database: Database, alpha: UUID) -> None:
    """Every annotation newly fails, and no event."""
    event(database, alpha)
    identifier = annotation(database, alpha, category="issue")
    rehearsal = rehearsed(database, without_annotations())
    assert counts(rehearsal) == {
        ("alpha", "event", "clicked"): {"unchanged": 1},
        ("alpha", "annotation", "issue"): {"newly_fails": 1},
    }
    assert examples(rehearsal) == [("newly_fails", identifier, None)]


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
def test_rejections_are_rehearsed(database: Database, alpha: UUID, body: Any, code: str, outcome: str) -> None:
    """Only a body rejected by its schema can newly pass; the contract gives the reason, for the candidate too."""

    def change(schemas: dict[str, Any]) -> None:
        wider(schemas)
        schemas["InteractionEvent"]["properties"]["metadata"]["maxProperties"] = 0

    identifier = rejection(database, alpha, body, code)
    rehearsal = rehearsed(database, candidate(change))
    name = (isinstance(body, dict) and body["event_type"]) or code
    assert counts(rehearsal) == {("alpha", "rejected event", name): {outcome: 1}}
    pointer = {"newly_passes": "/mood", "newly_fails": "/metadata"}.get(outcome)
    assert examples(rehearsal) == ([(outcome, identifier, pointer)] if pointer else [])


def test_a_rejection_is_rehearsed_as_its_own_kind(database: Database, alpha: UUID) -> None:
    """An annotation is not validated as an event; whole batches and replayed rejections are left out."""
    body = SENT | {"category": "praise", "body": "b"}
    rejection(database, alpha, body, kind="annotation")
    rejection(database, alpha, [body], kind="annotation-batch")
    rejection(database, alpha, body, kind="annotation", replayed_at="2026-03-31T12:00:00Z")
    assert counts(rehearsed(database, candidate())) == {("alpha", "rejected annotation", "praise"): {"unchanged": 1}}


def test_an_invalid_name_does_not_name_a_group(database: Database, alpha: UUID) -> None:
    """The group has the error code in its place; no control character reaches a terminal."""
    names = ["", "x" * (LONGEST_NAME + 1), "a\x1b[31m", "a\u202e", 5, None, ["a"]]
    for name in names:
        rejection(database, alpha, SENT | {"event_type": name})
    [(key, group)] = rehearsed(database, candidate()).groups.items()
    assert (key[2], group.counts.total()) == ("invalid_body", len(names))


def test_the_number_of_groups_is_limited(database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit they are counted together."""
    monkeypatch.setattr("handlers.contracts.rehearsing.rehearsals.MOST_GROUPS", 2)
    for name in "abcda":
        rejection(database, alpha, SENT | {"event_type": name, "mood": 1})
    groups = counts(rehearsed(database, candidate()))
    assert {key[2]: sum(group.values()) for key, group in groups.items()} == {"a": 2, "d": 1, OTHERS: 2}


def test_a_body_may_become_larger(database: Database, alpha: UUID) -> None:
    """A body that was too large newly passes if the candidate allows more bytes."""
    rejection(database, alpha, SENT | {"event_type": "c", "metadata": {"a": "x" * 70_000}}, "content_too_large")
    document = candidate().copy()
    document["paths"]["/interaction-events"]["post"]["requestBody"]["x-body-limit-bytes"] = 100_000
    rehearsal = rehearsed(database, Contract.read(json.dumps(document)))
    assert counts(rehearsal) == {("alpha", "rejected event", "c"): {"newly_passes": 1}}


def test_the_newest_rows_are_rehearsed(database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest rows of each kind up to the limit, page by page, and each page is reported as progress."""
    monkeypatch.setattr("handlers.contracts.rehearsing.records.FIRST_ROWS", 2)
    for name in "abcde":
        event(database, alpha, event_type=name)
    annotation(database, alpha)
    progress: list[int] = []
    rehearsal = rehearse(database, candidate(), 3, progress.append)
    assert [name for _, _, name in rehearsal.groups] == ["e", "d", "c", "praise"]
    assert progress == [2, 1, 1]
    assert [total(database, limit) for limit in (1, 3, 100)] == [2, 4, 6]


def test_examples_are_few_and_short(database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of a group, of all groups, and the length of each are limited."""
    fields = dict.fromkeys((f"field {number}" for number in range(50)), "x")
    for name in ["a"] * (EXAMPLES + 2) + ["b"] * 2:
        event(database, alpha, event_type=name, additional_fields=fields)
    with database.begin() as connection:
        document = candidate(lambda schemas: schemas["InteractionEvent"].pop("additionalProperties")).text
        contracts.publish(connection, "1.2", document, "d")
        contracts.activate(connection, "1.2")
    rehearsal = rehearsed(database, candidate(version="1.3"))
    assert {key[2]: len(group.examples) for key, group in rehearsal.groups.items()} == {"a": EXAMPLES, "b": 2}
    assert {len(example.error) for group in rehearsal.groups.values() for example in group.examples} == {
        LONGEST_ERROR + 1
    }
    monkeypatch.setattr("handlers.contracts.rehearsing.rehearsals.MOST_EXAMPLES", 3)
    assert len(examples(rehearsed(database, candidate(version="1.3")))) == 3
    assert rehearsed(database, candidate(version="1.3")).count(NEWLY_FAILS) == EXAMPLES + 4


@pytest.mark.usefixtures("version_1_alone")
def test_only_rows_of_the_same_major_version_are_rehearsed(database: Database, alpha: UUID) -> None:
    """A candidate is compared with the contract that it replaces or follows; other versions' rows do not count."""
    event(database, alpha, contract_version="1.0")
    event(database, alpha, contract_version="2.0", event_type="viewed")
    rejection(database, alpha, b"{", contract_version="2.0")
    with database.begin() as connection:
        contracts.publish(connection, "2.0", candidate(version="2.0").text, "d")
    of_v1 = [rehearsed(database, candidate(version=version)) for version in ("1.0", "1.7", "2.0")]
    with database.begin() as connection:
        contracts.activate(connection, "2.0")
    of_v2 = [rehearsed(database, candidate(version=version)) for version in ("2.1", "3.0")]
    of_v1.append(rehearsed(database, candidate(version="1.2")))
    assert [(rehearsal.governing, [key[2] for key in rehearsal.groups]) for rehearsal in of_v1] == [
        ("1.1", ["clicked"])
    ] * 4
    expected = ("2.0", ["viewed", "invalid_body"])
    assert [(rehearsal.governing, [key[2] for key in rehearsal.groups]) for rehearsal in of_v2] == [expected] * 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (delete(contracts_table), r"there is no active contract for 1\.2 to follow"),
        (update(contracts_table).values(document="a: b"), r"the row of contract 1\.1 cannot be read: the document"),
    ],
    ids=["none", "broken"],
)
def test_a_rehearsal_needs_a_contract_to_compare_with(database: Database, change: Any, words: str) -> None:
    """The error names what is missing."""
    with database.begin() as connection:
        connection.execute(change)
    with pytest.raises(ContractError, match=words):
        rehearsed(database, candidate())


def test_a_rehearsal_without_submissions_is_empty(database: Database) -> None:
    """No group, and every count is 0."""
    rehearsal = rehearsed(database, candidate(shorter))
    assert (rehearsal.groups, [rehearsal.count(outcome) for outcome in OUTCOMES]) == ({}, [0] * 4)


def test_a_deleted_hub_is_named_by_its_id(database: Database) -> None:
    """The operator has deleted its row."""
    event(database, UUID(int=9))
    assert list(rehearsed(database, candidate()).groups) == [(str(UUID(int=9)), "event", "clicked")]


def narrower(schemas: dict[str, Any]) -> None:
    """Let no record say that an agent acted."""
    schemas["RecordedActorType"]["enum"].remove("agent")


def test_stored_rows_that_the_candidate_could_not_answer_with_are_counted(database: Database, alpha: UUID) -> None:
    """Of any major version; new ones are those that the governing contract answers with, and the newest are named."""
    event(database, alpha, actor_type="agent")
    event(database, alpha, actor_type="user")
    other = event(database, alpha, actor_type="agent", contract_version="2.0")
    last = event(database, alpha, actor_type="bot")
    annotation(database, alpha)
    unanswerable = rehearsed(database, candidate(narrower)).unanswerable
    assert (unanswerable.count, unanswerable.new, unanswerable.is_complete) == (3, 2, True)
    assert [(row.kind, row.id, row.pointer) for row in unanswerable.examples][:2] == [
        ("event", last, "/actor_type"),
        ("event", other, "/actor_type"),
    ]
    assert rehearsed(database, candidate(), last=1).unanswerable.count == 1
    assert rehearsed(database, candidate(narrower), last=1).unanswerable.new == 0


def test_rows_stored_under_a_version_are_found_in_stretches(
    database: Database, alpha: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of that version and no others; if the time does not suffice, the count says that it is not complete."""
    monkeypatch.setattr("db.rehearsals.STRETCH_ROWS", 3)
    monkeypatch.setattr("db.rehearsals.PAGE_ROWS", 2)
    wanted = [event(database, alpha, actor_type="bot", contract_version="1.0") for _ in range(4)]
    for _ in range(8):
        event(database, alpha, actor_type="bot")
    wanted += [event(database, alpha, actor_type="bot", contract_version="1.0") for _ in range(3)]
    with database.begin() as connection:
        row = contracts.get(connection, "1.0")
    found = records.stored_under(database, row, [CONTRACTS[NEWEST]], 60)
    assert (found.count, found.is_complete) == (7, True)
    assert [each.id for each in found.examples] == wanted[::-1][: records.EXAMPLES]
    assert records.stored_under(database, row, [CONTRACTS["1.0"]], 60).count == 0
    assert not records.stored_under(database, row, [CONTRACTS[NEWEST]], 0).is_complete
    assert records.newest(database, [CONTRACTS[NEWEST]], 6, 60).count == 6


def test_a_version_is_not_withdrawn_before_all_its_rows_were_looked_through(database: Database, alpha: UUID) -> None:
    """The refusal names the option that gives it more time; the version stays."""
    with database.begin() as connection:
        contracts.publish(connection, "1.2", candidate().text, candidate().digest)
        contracts.activate(connection, "1.2")
        contracts.rollback(connection, 1)
    event(database, alpha, contract_version="1.2")
    with pytest.raises(Refused, match=r"0 seconds are too few to look through all rows .* allow more with --seconds"):
        withdrawals.withdraw(database, "1.2", Author("alice"), 0)
    assert withdrawals.withdraw(database, "1.2", Author("alice"), 60).status == "withdrawn"
