"""A service follows changes of its contracts while it serves: activated, edited, broken, deprecated, retired."""

import asyncio
import gc
import io
import json
import logging
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.sql import SQL

from db import contracts
from db.audit import Author
from db.engine import Database
from handlers.contracts import lifecycle as governed
from handlers.contracts.serving import Serving
from openapi.contract import Contract
from openapi.serving.endpoint import Endpoint
from openapi.serving.live import Live
from tests.contract_client import ContractClient
from tests.examples import EVENT, MAJOR, NEWEST, PATH
from tests.handlers.conftest import ANNOTATION, BASE, Hub, results_of
from tests.postgresql import fresh_database, statement
from tests.service import CONTRACTS, Service, forget_version_2, running
from tests.tokens import bearer, client_of, post
from tests.waiting import wait_until
from tests.wire import LINE, Wire, head

pytestmark = pytest.mark.costly

AUTHOR = Author("alice", "a test")
UNPUBLISHED = "this release has contract 2.0, and the database does not: `contract publish --of-release 2.0`"
LIST = f"{BASE}/interaction-events"
SUNSET = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)
CHANGE = "UPDATE interaction_reporting_contracts SET {} WHERE contract_version = '1.1'"
FORGET = SQL("TRUNCATE interaction_reporting_contracts, interaction_reporting_contracts_served")
RETIRE = SQL("UPDATE interaction_reporting_contracts SET status = 'retired' WHERE contract_version = '2.0'")


@pytest.fixture(scope="module")
def alone(embedded_url: str, template: str) -> Iterator[Service]:
    """A service with version 1 only; only the tests of this module change its contracts."""
    with fresh_database(embedded_url, "living", template) as url:
        with closing(Database(url)) as database, database.begin() as connection:
            forget_version_2(connection)
        with running(url) as started:
            yield started


@pytest.fixture
def living(alone: Service) -> Iterator[Service]:
    """The same service, which serves the contracts of the release before and after each test."""
    yield alone
    statement(alone.database_url, FORGET)
    with alone.database.begin() as connection:
        governed.seed(connection)
        forget_version_2(connection)
    wait_until(lambda: serves(alone) == [NEWEST] and ready(alone)["warnings"] == [UNPUBLISHED])


@pytest.fixture
def second(living: Service) -> Iterator[Contract]:
    """Version 2.0 of the release, served at /api/v2 in addition to version 1."""
    activate(living, CONTRACTS[MAJOR])
    yield CONTRACTS[MAJOR]
    statement(living.database_url, RETIRE)
    wait_until(lambda: "2.0" not in serves(living))


def ready(service: Service) -> dict[str, Any]:
    """The body of /health/ready."""
    return dict(httpx.get(f"{service.url}/health/ready").json())


def serves(service: Service) -> list[str]:
    """The versions that are served."""
    return list(ready(service)["contracts"])


def metrics(service: Service) -> str:
    """The metrics page for Prometheus."""
    return httpx.get(f"{service.url}/metrics").text


def edit(service: Service, change: str) -> None:
    """Change the row of the newest contract by plain SQL."""
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        connection.execute(CHANGE.format(change).encode())


def do(service: Service, change: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Call `change` as a command does."""
    with service.database.begin() as connection:
        change(connection, *arguments, author=AUTHOR, **options)


def another(version: str, path: str = BASE, changed: Callable[[dict[str, Any]], None] = lambda _: None) -> Contract:
    """The newest contract under another version and path, with a change to its document."""
    document = CONTRACTS[NEWEST].copy()
    document["info"]["version"] = version
    document["servers"] = [{"url": path}]
    changed(document)
    return Contract.read(json.dumps(document))


def activate(service: Service, contract: Contract) -> None:
    """Publish and activate `contract`, and wait until it is served."""
    with service.database.begin() as connection:
        governed.publish(connection, contract, AUTHOR)
        governed.activate(connection, contract.version, AUTHOR)
    wait_until(lambda: contract.version in serves(service))


def test_an_activated_contract_is_served_within_a_second(living: Service) -> None:
    """It replaces the earlier contract, also in the metrics and in readiness."""
    with living.client() as client:
        assert client.get(LIST).status_code == 200
        do(living, governed.activate, "1.0")
        wait_until(lambda: client.get(LIST).status_code == 405)
        assert serves(living) == ["1.0"]
        assert f'contract_info{{digest="{CONTRACTS["1.0"].digest}",version="1.0"}} 1.0' in metrics(living)
        assert client.post(PATH, json=EVENT).status_code == 201
        assert living.events()[-1]["contract_version"] == "1.0"
        do(living, governed.rollback, None)
        wait_until(lambda: client.get(LIST).status_code == 200)


def versions(service: Service) -> set[str | None]:
    """What responses at the path of version 1 have as Contract-Version: to an event, and to requests that are refused.

    The last one is refused beneath the application, because its head is malformed.
    """
    with service.client() as client, Wire(service) as wire:
        responses = [client.post(PATH, json=EVENT), client.put(PATH), client.get(f"{BASE}/nothing")]
        responses.append(client.post(PATH, json=EVENT, headers={"Authorization": "Bearer wrong"}))
        responses.append(client.post(PATH, json={}))
        wire.send(head(LINE, "Host: localhost", "Host: localhost"))
        responses.append(wire.answer())
    assert [response.status_code for response in responses] == [201, 405, 404, 401, 422, 400]
    return {response.headers.get("contract-version") for response in responses}


def test_a_new_field_is_in_a_client_that_is_downloaded_then(living: Service, tmp_path: Path) -> None:
    """And a client of the contract before says that it is stale, once it has had an answer."""
    with_field = another("1.9", changed=lambda document: add_field(document, "brand_new_field"))
    first = unpacked(living, NEWEST, tmp_path)
    activate(living, with_field)
    time.sleep(1)
    text = (unpacked(living, "1.9", tmp_path) / "interaction_reporting" / "types.py").read_text()
    assert "brand_new_field: NotRequired[str]" in text
    ask = (
        "import sys; from interaction_reporting import Client\n"
        "client = Client(sys.argv[1], api_key=sys.argv[2])\n"
        "print(repr(client.stale()), client.event_types.list()['has_more'], client.stale())"
    )
    command = [sys.executable, "-c", ask, living.url, living.key]
    ran = subprocess.run(command, cwd=first, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["''", "False", "1.9"]


def add_field(document: dict[str, Any], name: str) -> None:
    """Declare an optional text in events."""
    declared = {"type": "string", "maxLength": 100, "description": "A text.", "example": "text"}
    document["components"]["schemas"]["InteractionEvent"]["properties"][name] = declared


def unpacked(service: Service, version: str, directory: Path) -> Path:
    """The client for Python that the service makes of a version."""
    content = httpx.get(f"{service.url}/contracts/{version}/clients/python").raise_for_status().content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(directory / version)
    return directory / version


def test_each_response_names_the_contract_that_governs_it(living: Service) -> None:
    """Its version changes with an activation and with a rollback; paths of no version have none."""
    assert versions(living) == {NEWEST}
    do(living, governed.activate, "1.0")
    wait_until(lambda: serves(living) == ["1.0"])
    assert versions(living) == {"1.0"}
    do(living, governed.rollback, None)
    wait_until(lambda: serves(living) == [NEWEST])
    assert versions(living) == {NEWEST}
    for path in ("/health/live", "/contracts", "/api/v9/usage"):
        assert "contract-version" not in httpx.get(living.url + path).headers


def test_an_edited_row_is_followed(living: Service) -> None:
    """A field that plain SQL adds is accepted within a second; one that it removes is refused."""
    field = "document = replace(document, '        actor_type:\n          $ref', "
    field += "'        session_ref: {type: string}\n        actor_type:\n          $ref')"
    with living.client() as client:
        for change, status in ((field, 201), ("document = replace(document, 'session_ref:', 'session:')", 422)):
            edit(living, change)
            event = EVENT | {"session_ref": "s"}
            wait_until(lambda: client.post(PATH, json=event).status_code == status)  # noqa: B023 (waited for)


def test_a_broken_row_leaves_the_last_good_contract_in_service(
    living: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """It is served without a gap; log (once), readiness and metrics report the fault, also if the row is deleted."""
    fault = "the row of contract 1.1 cannot be read: the document is not an OpenAPI object with an info object"
    last = f"contract 1.1 ({CONTRACTS[NEWEST].digest[:12]}), which was served last, is still served"
    with living.client() as client:
        edit(living, "document = replace(document, 'reportInteractionEvent', 'xyz')")
        wait_until(lambda: "names no operation" in str(ready(living)["warnings"]))
        for change in ("document = 'a: b'", "digest = 'x'"):
            edit(living, change)
            wait_until(lambda: f"{fault}; {last}" in str(ready(living)["warnings"]))
            assert client.post(PATH, json=EVENT).status_code == 201
        assert serves(living) == [NEWEST]
        assert 'contract_row_refused{version="1.1"} 1.0' in metrics(living)
        assert [record.levelno for record in caplog.records if fault in record.message] == [logging.ERROR]
        statement(living.database_url, SQL("DELETE FROM interaction_reporting_contracts"))
        wait_until(lambda: f"no contract of major version 1 is active; {last}" in str(ready(living)["warnings"]))
        assert client.post(PATH, json=EVENT).status_code == 201


def test_a_row_that_is_no_longer_active_causes_a_warning(living: Service) -> None:
    """Its contract is still served: a status that an operator wrote by hand does not end a service."""
    edit(living, "status = 'superseded'")
    wait_until(lambda: "no contract of major version 1 is active" in str(ready(living)["warnings"]))
    with living.client() as client:
        assert client.post(PATH, json=EVENT).status_code == 201


def answers(service: Service) -> dict[int, httpx.Headers]:
    """The headers of responses of many kinds, by status."""
    large, typed = b'"' + b"x" * 70_000 + b'"', {"Content-Type": "application/json"}
    with service.client() as client:
        responses = [
            client.post(PATH, json=EVENT),
            client.post(PATH, content=b"{", headers=typed),
            client.post(PATH, json=EVENT, headers={"Authorization": "Bearer irk_x"}),
            client.get(f"{BASE}/nothing"),
            client.put(PATH),
            client.post(PATH, content=large, headers=typed),
            client.post(PATH, content=b"", headers={"Content-Type": "text/plain"}),
            client.post(PATH, json={}),
        ]
    return {response.status_code: response.headers for response in responses}


def test_every_response_announces_a_deprecation(living: Service) -> None:
    """Its start, its end and the successor; a contract that takes over repeats them, until it is withdrawn."""
    do(living, contracts.deprecate, NEWEST, SUNSET)
    wait_until(lambda: "deprecation" in httpx.get(living.url + BASE).headers)
    with living.database.begin() as connection:
        since = contracts.get(connection, NEWEST).deprecated_at
    assert since is not None
    headers_by_status = answers(living)
    assert headers_by_status.keys() == {201, 400, 401, 404, 405, 413, 415, 422}
    for headers in headers_by_status.values():
        assert headers["deprecation"] == f"@{int(since.timestamp())}"
        assert headers["sunset"] == "Tue, 31 Dec 2999 23:59:59 GMT"
        assert headers["link"] == '</contracts>; rel="successor-version"'
    do(living, governed.activate, "1.0")
    wait_until(lambda: serves(living) == ["1.0"])
    assert httpx.get(living.url + BASE).headers["deprecation"] == f"@{int(since.timestamp())}"
    do(living, contracts.withdraw_deprecation, "1.0")
    wait_until(lambda: not {"deprecation", "sunset", "link"} & httpx.get(living.url + BASE).headers.keys())


def test_a_retired_version_is_gone(living: Service, second: Contract) -> None:
    """410 for every request at its path, with the successor; the other version is still served."""
    token = client_of(living).token()
    do(living, contracts.deprecate, NEWEST, SUNSET)
    do(living, contracts.retire, NEWEST, before_sunset=True)
    with living.client() as client:
        wait_until(lambda: client.get(f"{BASE}/nothing").status_code == 410)
        for response in (client.post(PATH, json=EVENT), client.put(PATH), client.get(BASE)):
            assert (response.status_code, response.headers["link"]) == (410, '</api/v2>; rel="successor-version"')
            assert "contract-version" not in response.headers
            assert response.json()["help"] == "Use /api/v2 instead."
        assert serves(living) == [second.version]
        assert post(living, bearer(token)).status_code == 201
        do(living, governed.activate, NEWEST)
        wait_until(lambda: client.post(PATH, json=EVENT).status_code == 201)


@pytest.mark.usefixtures("second")
def test_two_major_versions_are_served_side_by_side(living: Service) -> None:
    """Each at its own path, and each row names the version that validated it."""
    with living.client() as client:
        assert client.post(PATH, json=EVENT).status_code == 201
    assert post(living, bearer(client_of(living).token())).status_code == 201
    assert [event["contract_version"] for event in living.events()[-2:]] == [NEWEST, MAJOR]
    assert metrics(living).count("interaction_reporting_contract_info{") == 2


def with_new_field(document: dict[str, Any]) -> None:
    """Declare an optional field of events and of annotations that the code does not know."""
    for name in ("InteractionEvent", "Annotation"):
        document["components"]["schemas"][name]["properties"]["session_ref"] = {
            "type": "string",
            "maxLength": 5,
            "description": "The session.",
        }


def test_a_new_field_needs_no_code(living: Service, new_hub: Callable[[Service], Hub]) -> None:
    """Activated while the service runs, the field is validated, stored, compared and read back."""
    contract = another("1.2", changed=with_new_field)
    hub = new_hub(living)
    assert hub.event(session_ref="old").status_code == 422
    activate(living, contract)
    hub.client = ContractClient(contract, base_url=living.url, headers=hub.client.headers, timeout=60)
    with hub.client:
        assert hub.event(session_ref="longer").status_code == 422
        for text, status in (("one", 201), ("one", 201), ("two", 409)):
            event = EVENT | {"session_ref": text}
            assert hub.post("/interaction-events", event, headers={"Idempotency-Key": "k"}).status_code == status
        own = [EVENT | {"session_ref": text, "client_event_id": "c"} for text in ("array", "array", "other")]
        assert [result["status"] for result in results_of(hub.batch(own))] == ["created", "duplicate", "rejected"]
        assert hub.lines(json.dumps(EVENT | {"session_ref": "line"}) + "\n").status_code == 200
        replayed = hub.post("/rejected-submissions/replay", {"code": "invalid_body"})
        assert sorted(result["status"] for result in results_of(replayed)) == ["created", "rejected"]
        remark = hub.post("/annotations", ANNOTATION | {"session_ref": "said"}).json()["id"]
        texts = ["one", "array", "line", "old"]
        assert [row["additional_fields"] for row in hub.rows()] == [{"session_ref": text} for text in texts]
        items = hub.items("/interaction-events")
        assert [item["session_ref"] for item in items] == texts
        assert [hub.get(f"/interaction-events/{item['id']}").json()["session_ref"] for item in items] == texts
        exported = hub.get("/interaction-events/export", format="ndjson").content.splitlines()
        assert [json.loads(row)["session_ref"] for row in exported] == texts
        assert '"{""session_ref"":""line""}"' in hub.get("/interaction-events/export", format="csv").text
        assert hub.get(f"/annotations/{remark}").json()["session_ref"] == "said"


def test_a_replaced_application_is_garbage(database: Database) -> None:
    """An application without requests is garbage at once, so that memory does not grow."""

    def activate_other(version: str) -> None:
        with database.begin() as connection:
            contracts.activate(connection, version)

    async def run() -> list[int]:
        live, replaced, counts = Live(), asyncio.Event(), []
        async with Serving(live, governed.application, lambda _: replaced.set()).following(database):
            for version in ("1.0", "1.1", "1.0", "1.1"):
                replaced.clear()
                activate_other(version)
                await asyncio.wait_for(replaced.wait(), 5)
                await asyncio.sleep(0)
                counts.append(sum(isinstance(item, Endpoint) for item in gc.get_objects()))
        return counts

    gc.collect()
    gc.disable()
    try:
        first, second, *repeated = asyncio.run(run())
    finally:
        gc.enable()
    assert first < second
    assert repeated == [first, second]
