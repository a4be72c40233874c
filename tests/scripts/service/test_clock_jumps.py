"""A clock that jumps and is set right again: whichever it is, no event is refused, and nothing is left behind."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from db import hubs, oauth_clients
from db.engine import Database
from scripts.trials import fresh_service
from scripts.trials.fresh_service import service_on, wait_for_workers
from tests.clocks import NONE, Clock, jumping_clock
from tests.examples import EVENT, PATH
from tests.load import Load, load
from tests.postgresql import debian_server
from tests.tokens import PATH as PATH_2
from tests.tokens import SCOPES, bearer, from_afar

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alone")]

JUMPS = [timedelta(minutes=1), timedelta(days=56)]
MILLISECOND = timedelta(milliseconds=1)
WORKERS = 2
AT_ONCE = 6
"""Requests on connections of their own: each worker gets some of them."""


@dataclass
class Jumping:
    """A service of two workers under load, and the clock that jumps: its own, or that of its database."""

    service: fresh_service.Service
    database: Database
    clock: Clock
    is_of_service: bool
    traffic: Load
    hub: str = field(default_factory=lambda: f"hub {uuid4()}")

    def __post_init__(self) -> None:
        with self.database.begin() as connection:
            hubs.create(connection, self.hub)
            client, secret = oauth_clients.issue(connection, self.hub, SCOPES)
        self.credentials = client.client_id, secret or ""

    def now(self) -> datetime:
        """The time by the service's clock."""
        return self.clock.now() if self.is_of_service else datetime.now(UTC)

    def ask(self, path: str, **form: str) -> httpx.Response:
        """The response of the authorization server to the client."""
        return httpx.post(self.service.url + path, data=form, auth=self.credentials, headers=from_afar())

    def token(self) -> str:
        """A token as of now."""
        token: str = self.ask("/oauth/token", grant_type="client_credentials").json()["access_token"]
        return token

    def post(self, path: str, credential: str) -> httpx.Response:
        """The response to an event, on a connection of its own."""
        return httpx.post(self.service.url + path, json=EVENT, headers=bearer(credential), timeout=30)

    def statuses(self, path: str, credential: str) -> set[int]:
        """The statuses of several events."""
        return {self.post(path, credential).status_code for _ in range(AT_ONCE)}

    def partition(self, identifier: str) -> str:
        """The partition of an event."""
        query = "SELECT tableoid::regclass::text FROM interaction_events WHERE id = %s"
        with psycopg.connect(self.database.url) as connection:
            row = connection.execute(query, (identifier,)).fetchone()
        assert row
        return str(row[0])

    def get(self, path: str) -> httpx.Response:
        """The response of a page for the operator."""
        return httpx.get(self.service.url + path)


@pytest.fixture(params=["service", "database"])
def jumping(request: pytest.FixtureRequest) -> Iterator[Jumping]:
    """Whose clock jumps is the parameter; the other one is right all the time."""
    is_of_service = request.param == "service"
    with ExitStack() as stack:
        clock = stack.enter_context(jumping_clock())
        faked, true = clock.environment, dict[str, str]()
        url = stack.enter_context(debian_server(**(true if is_of_service else faked)))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ir-tests-")))
        settings = {"IR_DATABASE_URL": url, **(faked if is_of_service else true)}
        service = stack.enter_context(service_on(directory, "--workers", str(WORKERS), **settings))
        wait_for_workers(service.process, service.log, WORKERS)
        database = stack.enter_context(closing(Database(url)))
        traffic = stack.enter_context(load(service.url, service.key, 2, pause=0.02))
        yield Jumping(service, database, clock, is_of_service, traffic)


def week_of(instant: datetime) -> str:
    """The name of the partition of an instant."""
    return f"interaction_events_{instant - timedelta(days=instant.weekday()):%Y_%m_%d}"


def is_stored_as_of_now(jumping: Jumping, path: str, credential: str) -> bool:
    """Whether an event is stored in the week of the service's clock, with an id of that time."""
    before = jumping.now() - MILLISECOND
    response = jumping.post(path, credential)
    assert response.status_code == 201, response.text
    after = jumping.now() + MILLISECOND
    identifier = UUID(response.json()["id"])
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=identifier.int >> 80)
    assert before <= at <= after
    assert jumping.partition(str(identifier)) in {week_of(before), week_of(after)}
    return True


def refuses_what_was_revoked(jumping: Jumping, *revoked: str) -> bool:
    """Whether these tokens are refused, and, within a second, a token that is revoked and a hub that is disabled."""
    token, name = jumping.token(), f"hub {uuid4()}"
    with jumping.database.begin() as connection:
        _, key = hubs.create(connection, name)
    assert jumping.statuses(PATH_2, token) == {201}
    assert jumping.statuses(PATH, key) == {201}
    assert jumping.ask("/oauth/revoke", token=token).status_code == 200
    with jumping.database.begin() as connection:
        hubs.disable(connection, name)
    time.sleep(1)
    assert [jumping.statuses(PATH_2, text) for text in (token, *revoked)] == [{401}] * (1 + len(revoked))
    assert jumping.statuses(PATH, key) == {401}
    return True


def works(jumping: Jumping) -> bool:
    """Whether the service stores what it gets, of version 1 and of version 2, and is ready."""
    for _ in range(AT_ONCE):
        assert is_stored_as_of_now(jumping, PATH, jumping.service.key)
        assert is_stored_as_of_now(jumping, PATH_2, jumping.token())
    response = jumping.get("/health/ready")
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["warnings"]) == (200, "ready", [])
    jumping.traffic.wait_for(len(jumping.traffic.acknowledged) + 20)
    return True


def test_jumps_and_the_ways_back_refuse_nothing(jumping: Jumping) -> None:
    """A token from before is good afterwards, one that was revoked is not, and no worker was started again."""
    token, revoked = jumping.token(), jumping.token()
    assert jumping.statuses(PATH_2, token) == jumping.statuses(PATH_2, revoked) == {201}
    assert jumping.ask("/oauth/revoke", token=revoked).status_code == 200
    assert works(jumping)
    for offset in (each for jump in JUMPS for each in (jump, NONE)):
        jumping.clock.jump(offset)
        assert works(jumping)
        assert refuses_what_was_revoked(jumping, revoked)
        if not offset or not jumping.is_of_service or offset <= timedelta(minutes=1):
            assert jumping.statuses(PATH_2, token) == {201}
    assert (jumping.traffic.statuses, jumping.traffic.failures) == ([], [])
    assert "interaction_reporting_worker_restarts_total 0" in jumping.get("/metrics").text
