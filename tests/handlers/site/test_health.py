"""Liveness and readiness of the service, with and without its database."""

from collections import Counter

from psycopg.sql import SQL

from tests.examples import EVENT, MAJOR, PATH
from tests.handlers.site.conftest import database_away
from tests.load import load
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

RETRY_AFTER_SECONDS = 1


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
        assert client.get("/health/ready").status_code == 200


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


def test_a_read_only_database_is_unavailable(lonely_service: Service) -> None:
    """As during a failover: 503, not 500."""
    with lonely_service.client() as client:
        statement(lonely_service.database_url, SQL("ALTER DATABASE postgres SET default_transaction_read_only = on"))
        with database_away(lonely_service):
            pass
        responses = [client.post(PATH, json=EVENT) for _ in range(10)]
    assert {response.status_code for response in responses} == {503}


def test_another_method_is_not_allowed(service: Service) -> None:
    """405 with the common error body and the allowed methods."""
    with service.client() as client:
        response = client.post("/health/live")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    assert response.json().keys() == {"error", "help"}
