"""Two replicas behind each proxy: what a hub with Idempotency-Keys notices when one dies, and when each is replaced."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from db import hubs, widgets
from db.engine import Database
from tests.examples import WIDGET
from tests.load import load
from tests.scripts.deploy.proxies import PROXIES, Proxy
from tests.scripts.deploy.replicas import Replica

pytestmark = pytest.mark.slow

ROUNDS = 1


@contextmanager
def replicas(database_url: str, directory: Path) -> Iterator[list[Replica]]:
    """Two replicas on one database."""
    both = [Replica(database_url, directory), Replica(database_url, directory)]
    try:
        for replica in both:
            replica.start()
        yield both
    finally:
        for replica in both:
            replica.end(signal.SIGKILL)


@pytest.mark.parametrize("start", PROXIES)
def test_no_request_with_a_key_fails_while_replicas_die_and_are_replaced(
    start: Proxy, database: Database, directory: Path
) -> None:
    """One is killed and started again, then both are drained in turn: each event gets 201, and is stored once."""
    with database.begin() as connection:
        _, key = hubs.create(connection, "A hub that sends keys")
        widgets.register(connection, "Widget of the examples", UUID(WIDGET))
    with (
        replicas(database.url, directory) as both,
        start(both[0].port, both[1].port) as url,
        load(url, key, threads=4, pause=0.06, with_keys=True) as traffic,
    ):
        for number, replica in [
            (signal.SIGKILL, both[0]),
            (signal.SIGTERM, both[1]),
            (signal.SIGTERM, both[0]),
        ] * ROUNDS:
            traffic.wait_for(len(traffic.acknowledged) + 100)
            replica.end(number)
            traffic.wait_for(len(traffic.acknowledged) + 50)  # by the other replica
            replica.start()
        traffic.wait_for(len(traffic.acknowledged) + 100)
    assert (traffic.statuses, traffic.failures) == ([], [])
    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT id::text FROM interaction_events").fetchall()
    assert sorted(identifier for (identifier,) in rows) == sorted(traffic.acknowledged)
