"""Fixtures with a service that has the live tail."""

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest

from db import hubs
from tests.handlers.live import served
from tests.postgresql import fresh_database
from tests.service import Service, running


@pytest.fixture(scope="module")
def live(embedded_url: str, template: str) -> Iterator[Service]:
    """A service that the tests of a module share."""
    with (
        fresh_database(embedded_url, "live", template) as url,
        running(url, program=served.PROGRAM) as started,
    ):
        yield started
        while served.TAILS:
            served.TAILS.pop().end()  # as the server of a worker does it when it drains


@pytest.fixture
def writer(live: Service) -> Iterator[psycopg.Connection]:
    """A connection in which each statement is committed."""
    with psycopg.connect(live.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def new_hub_id(live: Service) -> Callable[[str], UUID]:
    """Creates a hub with a name, and returns its id."""

    def create(name: str) -> UUID:
        with live.database.begin() as connection:
            hub, _ = hubs.create(connection, name)
        return hub.id

    return create
