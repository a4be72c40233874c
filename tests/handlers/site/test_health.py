"""Liveness and readiness of the service, with and without its database."""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from handlers.site import health
from tests.examples import EVENT, MAJOR, PATH
from tests.handlers.site.conftest import database_away
from tests.load import load
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

RETRY_AFTER_SECONDS = 1
FULL = SQL(
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$"
)
REFUSING = SQL("CREATE TRIGGER refusing BEFORE INSERT ON interaction_events FOR EACH ROW EXECUTE FUNCTION refuse()")
NO_TABLES = SQL(
    "CREATE FUNCTION refuse_tables() RETURNS event_trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$"
)


def test_live_and_ready(service: Service) -> None:
    """Both return 200; readiness lists the contracts served and no warning."""
    with service.client() as client:
        assert client.get("/health/live").json() == {"status": "live"}
        ready = client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "contracts": [service.version, MAJOR],
        "database": "answers",
        "warnings": [],
    }


def test_the_service_outlives_its_database(lonely_service: Service) -> None:
    """Without PostgreSQL events and readiness get 503 with Retry-After; when it is back, events get 201 again."""
    with lonely_service.client() as client:
        assert client.post(PATH, json=EVENT).status_code == 201
        with database_away(lonely_service):
            for _ in range(10):  # more often than there are connections in the pool
                response = client.post(PATH, json=EVENT)
                assert response.status_code == 503
                assert response.headers["retry-after"] == f"{RETRY_AFTER_SECONDS}"
            ready = client.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json()["status"] == "not ready"
            assert client.get("/health/live").status_code == 200
        wait_until(lambda: client.post(PATH, json=EVENT).status_code == 201, RETRY_AFTER_SECONDS)
        wait_until(lambda: client.get("/health/ready").status_code == 200, 10)


def test_a_restart_of_the_database_loses_and_duplicates_no_event(lonely_service: Service) -> None:
    """PostgreSQL is killed and started again under load: each event that got 201 is stored once."""
    with load(lonely_service.url, lonely_service.key) as traffic:
        for _ in range(3):
            traffic.wait_for(len(traffic.acknowledged) + 200)
            with database_away(lonely_service):
                pass
        traffic.wait_for(len(traffic.acknowledged) + 200)
    counts = Counter(str(event["id"]) for event in lonely_service.events())
    assert len(traffic.acknowledged) == len(set(traffic.acknowledged)) >= 800
    assert set(traffic.acknowledged) <= counts.keys()
    assert set(counts.values()) == {1}
    assert set(traffic.statuses) <= {503}
    assert traffic.failures == []


def test_a_read_only_database_is_read(lonely_service: Service) -> None:
    """As a provider leaves it on a full disk: lists and exports go on, events get 503, and readiness says why."""
    with lonely_service.client() as client:
        stored = client.post(PATH, json=EVENT).json()["id"]
        statement(lonely_service.database_url, SQL("ALTER DATABASE postgres SET default_transaction_read_only = on"))
        with database_away(lonely_service):
            pass
        wait_until(lambda: client.get(PATH).status_code == 200, RETRY_AFTER_SECONDS)
        responses = [client.post(PATH, json=EVENT) for _ in range(10)]
        read = client.get(PATH).json()["items"], client.get(f"{PATH}/export?format=ndjson").text.splitlines()
        why = reasons(client)
    assert {response.status_code for response in responses} == {503}
    assert [[event["id"] for event in read[0]], [json.loads(line)["id"] for line in read[1]]] == [[stored], [stored]]
    assert any(reason.startswith("the database is read-only, so that nothing can be stored: ") for reason in why)


@pytest.fixture
def own_service(start_service: Callable[..., AbstractContextManager[Service]]) -> Iterator[Service]:
    """A service on a database of its own."""
    with start_service() as service:
        yield service


def reasons(client: httpx.Client) -> list[str]:
    """Why the service is not ready; none if it is."""
    answer = client.get("/health/ready")
    assert (answer.status_code == 200) == (answer.json()["status"] == "ready")
    words: list[str] = answer.json().get("reasons", [])
    return words


def test_a_full_disk_is_a_reason_for_a_moment(own_service: Service) -> None:
    """After a refusal of all rows. With space again, events are stored at once, and the service is soon ready."""
    with own_service.client() as client:
        assert reasons(client) == []
        statement(own_service.database_url, FULL, REFUSING)
        assert client.post(PATH, json=EVENT).status_code == 503
        assert reasons(client) == ["the writer of events cannot store rows: DiskFull, SQLSTATE 53100"]
        statement(own_service.database_url, SQL("DROP TRIGGER refusing ON interaction_events"))
        assert client.post(PATH, json=EVENT).status_code == 201
        wait_until(lambda: reasons(client) == [], 10)


def test_a_registry_that_cannot_be_confirmed_is_a_reason(own_service: Service) -> None:
    """As long as it lasts: requests would wait for it, and then be refused."""
    with own_service.client() as client, psycopg.connect(own_service.database_url) as locking:
        locking.execute("LOCK TABLE registry_revision")
        wait_until(lambda: any("was last confirmed" in reason for reason in reasons(client)), 10)
        locking.rollback()
        wait_until(lambda: reasons(client) == [], 10)


def test_a_missing_partition_is_created_by_a_look(own_service: Service) -> None:
    """If it cannot be created, the reason says why."""
    url = own_service.database_url
    week = datetime.now(UTC) - timedelta(days=datetime.now(UTC).weekday())
    with own_service.client() as client:
        statement(
            url,
            SQL("ALTER TABLE interaction_events DETACH PARTITION {}").format(
                Identifier(f"interaction_events_{week:%Y_%m_%d}")
            ),
        )
        statement(
            url, NO_TABLES, SQL("CREATE EVENT TRIGGER no_tables ON ddl_command_start EXECUTE FUNCTION refuse_tables()")
        )
        (reason,) = reasons(client)
        assert reason == "new rows have no partition, and none can be created: DiskFull, SQLSTATE 53100"
        statement(url, SQL("DROP EVENT TRIGGER no_tables"))
        assert reasons(client) == []
        assert client.post(PATH, json=EVENT).status_code == 201


def test_a_full_temporary_directory_is_a_warning(own_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how much is left."""
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**60)
    with own_service.client() as client:
        answer = client.get("/health/ready")
    assert answer.status_code == 200
    (warning,) = answer.json()["warnings"]
    assert re.fullmatch(rf"{tempfile.gettempdir()}, where long requests keep their results, has \d+ MiB left", warning)


def test_a_missing_temporary_directory_is_a_warning(own_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single events are stored without it."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with own_service.client() as client:
        answer = client.get("/health/ready")
        assert client.post(PATH, json=EVENT).status_code == 201
    assert answer.status_code == 200
    assert answer.json()["warnings"] == [
        "/nowhere, where long requests keep their results, cannot be used: No such file or directory"
    ]


def test_another_method_is_not_allowed(service: Service) -> None:
    """405 with the common error body and the allowed methods."""
    with service.client() as client:
        response = client.post("/health/live")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    assert response.json().keys() == {"error", "help"}
