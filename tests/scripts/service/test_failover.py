"""The service on two hosts: it stores events soon after each step of a failover, and reads nothing from a standby."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from scripts.trials.fresh_service import Service, service_on
from tests.examples import EVENT, PATH
from tests.standbys import Server, primary_and_standby
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SOON_SECONDS = 20
"""It takes 2 s on a quiet machine."""


def url_of(server: Server) -> str:
    """The URL of the database on `server`."""
    return f"postgresql://postgres@127.0.0.1:{server.port}/postgres"


def soon_stored(service: Service) -> str:
    """The id of an event that is stored, and listed, soon; until then the service answers 503."""
    with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {service.key}"}, timeout=30) as client:
        ids: list[str] = []

        def is_stored() -> bool:
            response = client.post(PATH, json=EVENT)
            assert response.status_code in (201, 503), response.text
            ids.extend([response.json()["id"]] if response.status_code == 201 else [])
            return bool(ids)

        def is_listed() -> bool:
            response = client.get(PATH, params={"limit": 1000})
            assert response.status_code in (200, 503), response.text
            return response.status_code == 200 and ids[0] in {event["id"] for event in response.json()["items"]}

        wait_until(is_stored, SOON_SECONDS)
        wait_until(is_listed, SOON_SECONDS)
        wait_until(lambda: client.get("/health/ready").status_code == 200, SOON_SECONDS)
        return ids[0]


@contextmanager
def watched(standby: Server) -> Iterator[set[str]]:
    """The names of the applications that ran a statement on `standby` during the block."""
    names: set[str] = set()
    ended = threading.Event()
    ask = "SELECT DISTINCT application_name FROM pg_stat_activity WHERE state IS NOT NULL AND query <> ''"

    def watch() -> None:
        with psycopg.connect(url_of(standby), autocommit=True, application_name="watch") as connection:
            while not ended.wait(0.01):
                names.update(name for (name,) in connection.execute(ask))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield names
    finally:
        ended.set()
        thread.join()


def test_events_are_stored_soon_after_each_step_of_a_failover(directory: Path) -> None:
    """The first host dies, the second is promoted, the first comes back as a standby, and all connections are cut."""
    with primary_and_standby() as (first, second):
        url = f"postgresql://postgres@/postgres?host=127.0.0.1,127.0.0.1&port={first.port},{second.port}"
        with service_on(directory, "--workers", "2", IR_DATABASE_URL=url) as service:
            with watched(second) as applications:
                stored = [soon_stored(service)]
                wait_until(lambda: has(second, stored[0]), SOON_SECONDS)
            assert "watch" in applications
            assert "interaction-reporting" not in applications
            first.stop()
            second.run("pg_ctl", "-D", second.directory, "--wait", "promote")
            stored.append(soon_stored(service))
            first.copy(second)
            first.start()
            with watched(first) as applications:
                with psycopg.connect(url_of(second), autocommit=True) as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                        ("interaction-reporting",),
                    )
                stored.append(soon_stored(service))
            assert "watch" in applications
            assert "interaction-reporting" not in applications
            assert all(has(second, identifier) for identifier in stored)


def has(server: Server, identifier: str) -> bool:
    """Whether the event `identifier` is on `server`."""
    with psycopg.connect(url_of(server)) as connection:
        row = connection.execute("SELECT true FROM interaction_events WHERE id = %s", (identifier,)).fetchone()
    return row is not None
