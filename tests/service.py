"""Fixtures with running services, and with clients that validate each response; conftests that need them load this."""

import itertools
import json
import logging
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest
import uvicorn
from connexion.spec import OpenAPISpecification
from psycopg.rows import dict_row
from sqlalchemy import Connection, delete

from db import contracts, hubs, widgets
from db.engine import Database
from db.tables import interaction_reporting_contracts
from openapi.contract import Contract, published
from scripts.commands.loading import load
from scripts.service.serve import THE_SERVICE, Program, prepare, shared_by_workers
from tests.contract_client import ContractClient
from tests.examples import MAJOR, NEWEST, OLDEST, WIDGET
from tests.postgresql import fresh_database

CONTRACTS = {contract.version: contract for contract in published()}

pytest_plugins = ["tests.databases"]

_numbers = itertools.count()
_version = interaction_reporting_contracts.c.contract_version


@dataclass
class Service:
    """A service in a thread of the test process, with its database and a hub's key.

    `client` sends requests, `events` queries the database.
    """

    url: str
    port: int
    database_url: str
    database: Database
    key: str
    contract: Contract
    version: str = NEWEST
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def authorization(self) -> dict[str, str]:
        """The header that authenticates the hub."""
        return {"Authorization": f"Bearer {self.key}"}

    def client(self, **options: Any) -> ContractClient:
        """A client that authenticates as the hub."""
        return ContractClient(self.contract, base_url=self.url, headers=self.authorization, **options)

    def events(self, condition: str = "TRUE", *values: Any) -> list[dict[str, Any]]:
        """The stored events that satisfy `condition`, oldest first."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            query = f"SELECT * FROM interaction_events WHERE {condition} ORDER BY id"  # noqa: S608 (written in tests)
            return connection.execute(query, values).fetchall()


@pytest.fixture(scope="session", autouse=True)
def _valid_documents() -> None:
    """Let Connexion remember the documents that it found valid: finding out takes up to half a second."""
    validate, valid = OpenAPISpecification._validate_spec, set()

    def validate_once(document: dict[str, Any]) -> None:
        digest = sha256(json.dumps(document, sort_keys=True).encode()).digest()
        if digest not in valid:
            validate(document)
            valid.add(digest)

    OpenAPISpecification._validate_spec = staticmethod(validate_once)


@pytest.fixture(scope="session", autouse=True)
def _shared() -> Iterator[None]:
    """Set up the counters that all services in this process share."""
    with tempfile.TemporaryDirectory(prefix="interaction-reporting-") as directory, shared_by_workers(Path(directory)):
        yield


@contextmanager
def running(
    database_url: str, version: str = NEWEST, program: Program = THE_SERVICE, **settings: str
) -> Iterator[Service]:
    """A service on the prepared database at `database_url`, with one hub and the widget of the examples.

    The contract of `version` governs; the client checks the responses against it. `program` is what serves.
    """
    with closing(Database(database_url)) as database:
        with database.begin() as connection:
            contracts.activate(connection, version)
            _, key = hubs.create(connection, f"hub {next(_numbers)}")
            if all(str(widget.id) != WIDGET for widget in widgets.list_all(connection)):
                widgets.register(connection, "Widget of the examples", UUID(WIDGET))
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        level = logging.getLogger().level  # of other tests, too
        environment = {"IR_DATABASE_URL": database_url, "IR_PUBLIC_URL": url, "IR_LOG_LEVEL": "warning", **settings}
        with mock.patch.dict("os.environ", environment):
            server = uvicorn.Server(
                uvicorn.Config(load(program.application)(), http=program.connection, ws="none", log_config=None)
            )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the service did not start"
                time.sleep(0.01)
            contract = CONTRACTS[version]
            yield Service(url, port, database_url, database, key, contract, version, settings)
        finally:
            server.should_exit = True
            thread.join()
            logging.getLogger().setLevel(level)


@pytest.fixture(scope="session")
def template(embedded_url: str) -> Iterator[str]:
    """The name of a prepared template database on the embedded server."""
    with fresh_database(embedded_url, "prepared") as url:
        with closing(Database(url)) as database:
            prepare(database)
        yield "prepared"


def forget_version_2(connection: Connection) -> None:
    """Delete the contracts of version 2, as in the database of an earlier release."""
    connection.execute(delete(interaction_reporting_contracts).where(_version == MAJOR))


@pytest.fixture
def version_1_alone(database: Database) -> None:
    """The test's own database has the contracts of version 1 alone."""
    with database.begin() as connection:
        forget_version_2(connection)


@pytest.fixture(scope="session", params=[OLDEST, NEWEST])
def service(request: pytest.FixtureRequest, embedded_url: str, template: str) -> Iterator[Service]:
    """A service that tests share, under each contract of version 1 in turn, for what the oldest one promises.

    Every response must keep the oldest contract. A test that changes more than events takes `start_service`.
    """
    name = f"shared_{request.param.replace('.', '_')}"
    with (
        fresh_database(embedded_url, name, template) as url,
        running(url, request.param) as started,
    ):
        yield replace(started, contract=CONTRACTS[OLDEST], version=request.param)


@pytest.fixture(scope="session")
def newest(embedded_url: str, template: str) -> Iterator[Service]:
    """A service that tests share, under the newest contract."""
    with fresh_database(embedded_url, "newest", template) as url, running(url) as started:
        yield started


@pytest.fixture
def start_service(database_url: str) -> Callable[..., Any]:
    """A context manager that starts a service on the test's own database, with settings by variable."""
    return lambda **settings: running(database_url, **settings)


@pytest.fixture
def client(service: Service) -> Iterator[ContractClient]:
    """A client of the shared service, which authenticates as its hub."""
    with service.client() as client:
        yield client
