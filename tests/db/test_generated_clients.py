"""The clients that were generated: an archive or a fault by digest, language and generator."""

from hashlib import sha256

import pytest
from sqlalchemy import Connection, text

from db import generated_clients
from db.generated_clients import ClientKey, ClientState

GO = ClientKey("d" * 64, "go", "1")
ARCHIVE = bytes(range(256)) * 10


def state(connection: Connection, key: ClientKey = GO) -> ClientState:
    """The state of one client."""
    return generated_clients.states(connection, key.generator).get(key, ClientState())


def test_a_client_is_to_be_built_until_it_is_stored(connection: Connection) -> None:
    """Then it has a size and a digest, and the archive byte for byte."""
    assert state(connection) == ClientState()
    assert not state(connection).is_settled
    assert generated_clients.begin(connection, GO) == 1
    assert state(connection) == ClientState()
    assert generated_clients.archive(connection, GO) is None
    generated_clients.store(connection, GO, ARCHIVE)
    assert state(connection) == ClientState(len(ARCHIVE), sha256(ARCHIVE).hexdigest())
    assert state(connection).is_settled
    assert generated_clients.archive(connection, GO) == ARCHIVE


@pytest.mark.parametrize(
    "other", [ClientKey("e", "go", "1"), ClientKey(GO.digest, "php", "1"), ClientKey(GO.digest, "go", "2")]
)
def test_each_part_of_the_key_tells_clients_apart(connection: Connection, other: ClientKey) -> None:
    """Another document, language or generator has a client of its own."""
    for key in (GO, other):
        generated_clients.begin(connection, key)
    generated_clients.store(connection, GO, ARCHIVE)
    assert state(connection, other) == ClientState()
    assert generated_clients.archive(connection, other) is None
    assert generated_clients.begin(connection, other) == 2


def test_a_fault_is_kept(connection: Connection) -> None:
    """It settles the client; a later archive replaces it, and no fault replaces an archive."""
    generated_clients.begin(connection, GO)
    generated_clients.refuse(connection, GO, "it prints a warning")
    assert state(connection) == ClientState(fault="it prints a warning")
    assert state(connection).is_settled
    generated_clients.store(connection, GO, ARCHIVE)
    generated_clients.refuse(connection, GO, "it ran out of memory")
    assert state(connection).fault is None
    assert generated_clients.archive(connection, GO) == ARCHIVE


def test_builds_are_counted(connection: Connection) -> None:
    """One that was stopped is not."""
    assert [generated_clients.begin(connection, GO) for _ in range(2)] == [1, 2]
    generated_clients.take_back(connection, GO)
    assert generated_clients.begin(connection, GO) == 2
    for _ in range(3):
        generated_clients.take_back(connection, GO)
    assert generated_clients.begin(connection, GO) == 1


def test_old_clients_that_are_not_wanted_are_forgotten(connection: Connection) -> None:
    """Wanted ones and recent ones stay."""
    old, recent = (ClientKey("e", "go", generator) for generator in ("0", "1"))
    for key in (GO, old, recent):
        generated_clients.begin(connection, key)
        generated_clients.store(connection, key, ARCHIVE)
    age = text(
        "UPDATE generated_clients SET made_at = now() - interval '31 days' WHERE NOT (digest = 'e' AND generator = '1')"
    )
    connection.execute(age)
    assert generated_clients.forget(connection, [GO]) == 1
    assert [key for key in (GO, old, recent) if state(connection, key).is_settled] == [GO, recent]
    assert generated_clients.forget(connection, []) == 1
