"""Fixtures: a test's own hubs on a service that tests share, with the newest contract."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from db import hubs
from tests.contract_client import ContractClient
from tests.examples import EVENT

if TYPE_CHECKING:
    from tests.service import Service  # not before `pytest_configure`, which cannot load an imported module

BASE = "/api/v1"
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
DRY_RUN = {"Prefer": "dry-run"}
TABLES = ("interaction_events", "annotations", "rejected_submissions", "idempotency_keys", "hub_capability_manifests")
ANNOTATION = {"widget_id": EVENT["widget_id"], "category": "praise", "body": "Much clearer than before."}

_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.service")


@dataclass
class Hub:
    """A hub, and a client that checks each response against the contract."""

    id: UUID
    name: str
    service: "Service"
    client: ContractClient

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """The response to a POST; `body` is sent as JSON."""
        content = {"json": body} if body is not None else {}
        return self.client.post(BASE + path, **content, **options)

    def event(self, **fields: Any) -> httpx.Response:
        """The response to an event of the examples with `fields`."""
        return self.post("/interaction-events", EVENT | fields)

    def batch(self, items: Any, path: str = "/interaction-events", **headers: str) -> httpx.Response:
        """The response to an array of items."""
        return self.post(
            f"{path}/batch", items, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    def lines(self, content: bytes | str, path: str = "/interaction-events", **headers: str) -> httpx.Response:
        """The response to lines of NDJSON."""
        fields = NDJSON | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post(f"{BASE}{path}/batch", content=content, headers=fields)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """The response to a GET."""
        return self.client.get(BASE + path, params=parameters)

    def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """All items of a list."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(path, **parameters).json()
            items += page["items"]
            if not page["has_more"]:
                return items
            parameters["cursor"] = page["next_cursor"]

    def manifest(self, event_types: Any = (), widgets: Any = (), **options: Any) -> httpx.Response:
        """The response to a manifest."""
        body = {"event_types": list(event_types), "widgets": list(widgets)}
        return self.client.put(f"{BASE}/hub-capability-manifest", json=body, **options)

    def usage(self) -> dict[str, int]:
        """The hub's totals over all hours and kinds."""
        totals = dict.fromkeys(("received", "created", "duplicate", "rejected", "throttled"), 0)
        for item in self.get("/usage").json()["items"]:
            for name in totals:
                totals[name] += item[name]
        return totals

    def rows(self, table: str = "interaction_events") -> list[dict[str, Any]]:
        """The hub's rows of `table`, in the order of their ids."""
        with psycopg.connect(self.service.database_url, row_factory=dict_row) as connection:
            query = SQL("SELECT * FROM {} WHERE hub_id = %s").format(Identifier(table))
            rows = connection.execute(query, [self.id]).fetchall()
        return sorted(rows, key=lambda row: str(row.get("id", row.get("revision"))))

    def counts(self) -> dict[str, int]:
        """The number of the hub's rows in each table."""
        return {table: len(self.rows(table)) for table in TABLES}


def results_of(response: httpx.Response) -> list[dict[str, Any]]:
    """The result of each item of a batch, sent as an array or as lines."""
    if response.headers["content-type"].startswith("application/json"):
        return list(response.json()["results"])
    return [result for line in response.content.splitlines() if "totals" not in (result := json.loads(line))]


def totals_of(response: httpx.Response) -> dict[str, int]:
    """The totals of a batch, sent as an array or as lines."""
    text = response.content if "ndjson" not in response.headers["content-type"] else response.content.splitlines()[-1]
    return dict(json.loads(text)["totals"])


def totals(created: int = 0, duplicate: int = 0, rejected: int = 0) -> dict[str, int]:
    """The totals that a batch with these outcomes has."""
    received = created + duplicate + rejected
    return {"received": received, "created": created, "duplicate": duplicate, "rejected": rejected}


@pytest.fixture
def new_hub() -> Iterator[Callable[..., Hub]]:
    """A function that creates a hub with a client of its own."""
    with ExitStack() as stack:

        def create(service: "Service") -> Hub:
            with service.database.begin() as connection:
                hub, key = hubs.create(connection, f"hub of a test {next(_numbers)}")
            headers = {"Authorization": f"Bearer {key}"}
            client = ContractClient(service.contract, base_url=service.url, headers=headers, timeout=60)
            return Hub(hub.id, hub.name, service, stack.enter_context(client))

        yield create


@pytest.fixture
def hub(newest: "Service", new_hub: Callable[..., Hub]) -> Hub:
    """A new hub without rows."""
    return new_hub(newest)


@pytest.fixture
def widget() -> str:
    """The id of a widget that no hub has registered."""
    return str(uuid4())


@pytest.fixture
def prefix() -> str:
    """The prefix of a test's event types, so that no other test has their names."""
    return f"t{uuid4().hex[:12]}"


def entry(name: str, **more: Any) -> dict[str, Any]:
    """An event type of a manifest."""
    return {"name": name, "description": "What it means."} | more


@pytest.fixture
def name(prefix: str) -> str:
    """The name of an event type that no hub has registered."""
    return f"{prefix}.scored"
