"""Personal data: everything that is stored of an actor is deleted, however the UUID is spelt, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.engine import make_url

from db import personal_data, sweeps
from db.engine import Database
from db.ids import new_id
from tests.postgresql import fresh_database, statement

ACTOR = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
OTHER = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e12")
HUB = UUID(int=1)
EVENT = {"hub_id": HUB, "widget_id": HUB, "occurred_at": "2026-03-31T12:00:00Z", "contract_version": "1.1"}
CLICK = EVENT | {"event_type": "clicked"}
REMARK = EVENT | {"category": "idea", "body": "Make it red."}
REJECTION = {"hub_id": HUB, "kind": "event", "code": "x", "error": "No.", "contract_version": "1.1", "raw": b"{}"}
CLAIM = {"hub_id": HUB, "kind": "event", "digest": UUID(int=2)}
CONTENTS = {
    "interaction_events": CLICK,
    "annotations": REMARK,
    "rejected_submissions": REJECTION,
    "idempotency_keys": CLAIM,
}
SPELLINGS = [
    str(ACTOR),
    str(ACTOR).upper(),
    ACTOR.hex,
    ACTOR.hex.upper(),
    f"{{{ACTOR}}}",
    ACTOR.urn,
    f"user-{ACTOR}.",
    f"%2F{ACTOR}%2F",
    f"%7b{ACTOR.hex}%7d",
    f"\\u0022{ACTOR}\\u0022",
    f"\\f{ACTOR.hex}",
    f"\u5f20{ACTOR}\u5f20",
    f"\u00e9{ACTOR.hex}",
]


@pytest.fixture
def database(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database of the test's own, on a server of each kind."""
    with fresh_database(any_server, "personal", partitioned) as url, closing(Database(url)) as database:
        yield database


def store(database: Database, table: str, **columns: Any) -> UUID:
    """The id of a new row."""
    identifier = UUID(new_id())
    values = CONTENTS[table] | {"id": identifier} | columns
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table), names, sql.SQL(", ").join([sql.Placeholder()] * len(values))
    )
    with psycopg.connect(database.url) as connection:
        connection.execute(insert, [Jsonb(value) if isinstance(value, dict) else value for value in values.values()])
    return identifier


def kept(database: Database, table: str) -> set[UUID]:
    """The ids of the rows of `table`."""
    with psycopg.connect(database.url) as connection:
        return {row[0] for row in connection.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier(table)))}


def erase(database: Database, *actors: UUID) -> dict[str, int]:
    """The numbers of deleted rows."""
    return personal_data.erase(database, [personal_data.digest_of(actor) for actor in actors], lambda *_: None)


def counts(rejected: int = 0, annotations: int = 0, events: int = 0, keys: int = 0) -> dict[str, int]:
    """The numbers of deleted rows by table."""
    numbers = {"rejected_submissions": rejected, "annotations": annotations, "interaction_events": events}
    return numbers | {"idempotency_keys": keys}


def test_the_events_of_the_actor_are_deleted(database: Database) -> None:
    """Those of another actor, and of none, stay; a second time nothing is found."""
    store(database, "interaction_events", actor_id=ACTOR)
    others = {store(database, "interaction_events", actor_id=actor) for actor in (OTHER, None)}
    assert erase(database, ACTOR) == counts(events=1)
    assert kept(database, "interaction_events") == others
    assert erase(database, ACTOR) == counts()


def test_annotations_by_or_about_the_actor_are_deleted(database: Database) -> None:
    """By the actor, or on an event of the actor; the others stay, also on an event that is gone."""
    event, other_event = (store(database, "interaction_events", actor_id=actor) for actor in (ACTOR, OTHER))
    store(database, "annotations", actor_id=ACTOR)
    store(database, "annotations", actor_id=OTHER, event_id=event)
    others = {store(database, "annotations", event_id=other) for other in (None, other_event, uuid4())}
    assert erase(database, ACTOR) == counts(annotations=2, events=1)
    assert kept(database, "annotations") == others


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_rows_that_name_the_actor_are_deleted(database: Database, spelling: str) -> None:
    """In any text or JSON, in each spelling; a text with the UUID of another actor stays."""
    for number, text in enumerate((spelling, str(OTHER))):
        rows: dict[str, list[dict[str, Any]]] = {
            "interaction_events": [
                {"metadata": {"by": [text]}},
                {"additional_fields": {text: 1}},
                {"view_context_ref": text},
                {"client_event_id": text},
                {"actor_type": text},
            ],
            "annotations": [{"body": f"See {text}!"}, {"metadata": {"by": text}}, {"client_annotation_id": text}],
            "rejected_submissions": [
                {"raw": b'\xff{"actor_id": "' + text.encode() + b'"}'},
                {"error": text},
                {"pointer": f"/{text}"},
                {"request_key": text},
                {"event_type": text},
            ],
            "idempotency_keys": [{"key": text}],
        }
        for table, changes in rows.items():
            for columns in changes:
                store(database, table, **columns)
        if number == 0:
            assert erase(database, ACTOR) == counts(5, 3, 5, 1)
    assert erase(database, ACTOR) == counts()
    assert {table: len(kept(database, table)) for table in rows} == counts(5, 3, 5, 1)


@pytest.mark.parametrize("form", ["{:04x}", "{:04X}"])
def test_a_rejection_that_escapes_the_uuid_is_deleted(database: Database, form: str) -> None:
    """JSON may spell each character as an escape, in either case."""
    for actor in (ACTOR, OTHER):
        for text in (str(actor), str(actor).upper()):
            escaped = "".join("\\u" + form.format(ord(character)) for character in text)
            assert json.loads(f'"{escaped}"') == text
            store(database, "rejected_submissions", raw=f'{{"actor_id": "{escaped}"}}'.encode())
    assert erase(database, ACTOR) == counts(rejected=2)


@pytest.mark.parametrize(
    "text", [f"a{ACTOR}", f"%2Fa{ACTOR}", f"{ACTOR.hex}0", str(ACTOR)[:-1], str(ACTOR).replace("-", " ")]
)
def test_a_text_that_has_another_number_stays(database: Database, text: str) -> None:
    """It has a digit before or after the UUID, or lacks one."""
    store(database, "interaction_events", view_context_ref=text)
    assert erase(database, ACTOR) == counts()


def test_many_rows_are_deleted_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress after each transaction; rows of several actors, and of each partition, are found."""
    monkeypatch.setattr(sweeps, "ROWS", 3)
    for actor in (ACTOR, None, OTHER, ACTOR, ACTOR, None, OTHER):
        store(database, "interaction_events", actor_id=actor)
    store(database, "interaction_events", id=UUID(int=UUID(new_id()).int - (604_800_000 << 80)), actor_id=ACTOR)
    for number in range(7):
        store(database, "idempotency_keys", key=f"{number} {ACTOR if number % 2 else OTHER}")
    progress: list[tuple[str, int, int]] = []
    digests = [personal_data.digest_of(actor) for actor in (ACTOR, OTHER)]
    deleted = personal_data.erase(database, digests, lambda *row: progress.append(row))
    assert deleted == counts(events=6, keys=7)
    events = [row[1:] for row in progress if row[0] == "interaction_events"]
    assert events == [(3, 2), (6, 5), (8, 6)]
    assert [row[1:] for row in progress if row[0] == "idempotency_keys"] == [(3, 3), (6, 6), (7, 7)]
    assert len(kept(database, "interaction_events")) == 2


def test_the_server_never_sees_the_uuid(database: Database) -> None:
    """A server that logs all statements with their parameters logs the digest in its place."""
    store(database, "interaction_events", actor_id=ACTOR, metadata={"of": str(ACTOR)})
    store(database, "rejected_submissions", raw=str(ACTOR).encode())
    url = make_url(database.url)
    name = sql.Identifier(str(url.database))
    for setting, value in (("log_statement", "all"), ("log_parameter_max_length", "-1")):
        change = sql.SQL("ALTER DATABASE {} SET {} = {}")
        statement(database.url, change.format(name, sql.Identifier(setting), sql.Literal(value)))
    log = Path(str(url.query["host"])) / "log"
    earlier = log.stat().st_size
    database.close()
    digest = personal_data.digest_of(ACTOR)
    with closing(Database(database.url)) as logged:
        personal_data.erase(logged, [digest], lambda *_: None)
    lines = log.read_bytes()[earlier:].decode()
    assert kept(database, "interaction_events") == kept(database, "rejected_submissions") == set()
    assert digest in lines
    assert str(ACTOR) not in lines
