"""The clients that other programs make, as a service offers them: ready, being built, failed or not installed."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update

from db import contracts
from db.engine import Database
from db.tables import generated_clients
from db.tables import interaction_reporting_contracts as _table
from handlers.contracts import client_builds
from openapi.generate.openapi_generator import program
from openapi.generate.openapi_generator.program import Generator
from tests.openapi.generate.openapi_generator.test_program import fake
from tests.service import CONTRACTS, Service
from tests.waiting import wait_until

Start = Callable[..., AbstractContextManager[Service]]
CLIENTS = "/contracts/1.1/clients"


@contextmanager
def offering(
    start: Start, patch: pytest.MonkeyPatch, generator: Generator | None, languages: str
) -> Iterator[httpx.Client]:
    """A client, without credentials, of a service that offers clients in languages."""
    patch.setattr(program, "installed", lambda: generator)
    with start(IR_CLIENT_LANGUAGES=languages) as service, httpx.Client(base_url=service.url, timeout=30) as client:
        yield client


def listed(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """The entries of the list by language."""
    return {entry["language"]: entry for entry in client.get(CLIENTS).json()["clients"]}


def runs(directory: Path) -> int:
    """How often the generator was started."""
    return len((directory / "runs").read_text().splitlines())


def settled(database: Database) -> int:
    """The number of clients of all contracts that were built."""
    with database.begin() as connection:
        return len(
            connection.scalars(select(generated_clients.c.sha256).where(generated_clients.c.sha256.is_not(None))).all()
        )


def test_a_client_is_served_when_it_is_built(
    start_service: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database
) -> None:
    """Until then it is 503 with the time to wait. However many ask, each client is built once."""
    (tmp_path / "runs.wait").touch()
    with offering(start_service, monkeypatch, fake("waits", tmp_path), "go,php") as client:
        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda _: client.get(f"{CLIENTS}/go"), range(200)))
        assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "10")}
        assert answers[0].json()["error"] == "the client for go is not built yet"
        building = listed(client)["go"]
        assert building["status"] == "building"
        assert building.keys() == {"language", "status", "file_name", "url", "install"}
        (tmp_path / "runs.wait").unlink()
        wait_until(lambda: all(entry["status"] == "ready" for entry in listed(client).values()), pause=0.2)
        wait_until(lambda: settled(database) == 2 * len(CONTRACTS))
        assert runs(tmp_path) == 2 * len(CONTRACTS)
        entry = listed(client)["go"]
        archive = client.get(f"{CLIENTS}/go")
        assert archive.status_code == 200
        assert entry["sha256"] == hashlib.sha256(archive.content).hexdigest()
        assert entry["bytes"] == len(archive.content)
        assert archive.headers["etag"] == f'"{entry["sha256"]}"'
        assert archive.headers["content-type"] == "application/gzip"
        name = "interaction-reporting-client-go-1.1.1.tar.gz"
        assert archive.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert entry["url"] == str(client.base_url.join(f"{CLIENTS}/{name}"))
        assert entry["install"].startswith(f"curl -fsSL --retry 20 {entry['url']} | tar -xz && go mod edit ")
        assert client.get(entry["url"]).content == archive.content
        again = client.get(f"{CLIENTS}/go", headers={"If-None-Match": archive.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for absent in ("java", "cobol", name.replace("go", "rust"), name.replace("1.1.1", "2.0.1")):
            assert client.get(f"{CLIENTS}/{absent}").json()["error"].startswith("there is no client for ")
        assert listed(client)["python"]["status"] == "ready"


def test_a_failure_says_why(start_service: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is 404, like one of a language that is not there: to ask again would not help."""
    with offering(start_service, monkeypatch, fake("fails", tmp_path), "go") as client:
        wait_until(lambda: listed(client)["go"]["status"] == "failed", pause=0.2)
        fault = "it exited with 1: it does not know document.json"
        assert listed(client)["go"]["reason"] == fault
        answer = client.get(f"{CLIENTS}/go")
    assert answer.status_code == 404
    assert answer.json()["error"] == f"the client for go cannot be built: {fault}"


def test_without_the_extra_a_client_is_not_there(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list and the answer say what to install."""
    with offering(start_service, monkeypatch, None, "go") as client:
        entry, answer = listed(client)["go"], client.get(f"{CLIENTS}/go")
    assert entry["status"] == "not_installed"
    assert answer.status_code == 404
    error = "the client for go cannot be built: its generator is not installed"
    assert (entry["reason"], answer.json()["error"]) == (error, error)
    assert "'interaction-reporting[codegen]'" in answer.json()["help"]
    assert entry["help"] == answer.json()["help"]


def test_a_contract_that_could_become_code_has_no_client(
    start_service: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database
) -> None:
    """The list says where it could; other clients of it are there."""
    document = CONTRACTS["1.1"].copy()
    document["info"]["version"] = "1.2"
    document["components"]["schemas"]["ActorType"]["enum"] = ["a'b"]
    with database.begin() as connection:
        contracts.publish(connection, "1.2", json.dumps(document), "digest")
        connection.execute(update(_table).where(_table.c.contract_version == "1.2").values(status="superseded"))
    with offering(start_service, monkeypatch, fake("works", tmp_path), "go") as client:
        python, _, go = client.get("/contracts/1.2/clients").json()["clients"]
        answer = client.get("/contracts/1.2/clients/go")
    assert python["status"] == "ready"
    assert go["status"] == "failed"
    assert answer.status_code == 404
    assert go["reason"] == answer.json()["error"]
    assert "/components/schemas/ActorType/enum/0: this name or value has characters that end a string" in go["reason"]


def test_an_archive_is_read_once(
    start_service: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database
) -> None:
    """Then the worker has it, whatever happens to the row."""
    with offering(start_service, monkeypatch, fake("works", tmp_path), "go") as client:
        wait_until(lambda: listed(client)["go"]["status"] == "ready", pause=0.2)
        first = client.get(f"{CLIENTS}/go")
        with database.begin() as connection:
            built = generated_clients.c.archive.is_not(None)  # others may be built meanwhile
            connection.execute(update(generated_clients).where(built).values(archive=b"other"))
        assert client.get(f"{CLIENTS}/go").content == first.content


def test_a_row_that_is_deleted_is_built_again(
    start_service: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database
) -> None:
    """So an operator has a failed build tried again."""
    monkeypatch.setattr(client_builds, "SETTLED_LOOK_SECONDS", 0.05)
    with offering(start_service, monkeypatch, fake("fails", tmp_path), "go") as client:
        wait_until(lambda: listed(client)["go"]["status"] == "failed", pause=0.2)
        wait_until(lambda: runs(tmp_path) == len(CONTRACTS))
        with database.begin() as connection:
            connection.execute(delete(generated_clients))
        wait_until(lambda: runs(tmp_path) == 2 * len(CONTRACTS))
