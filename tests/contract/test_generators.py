"""Linters, generators of clients and a mock server, as others made them, take the documents as they are."""

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from db import hubs
from openapi.contract import Document
from openapi.generate.languages.archives import tarball
from openapi.generate.openapi_generator.prepared_documents import prepare
from openapi.generate.openapi_generator.program import files_of, installed, warnings
from openapi.generate.openapi_generator.recipes import LANGUAGES, recipe
from tests import promises
from tests.examples import EVENT, MAJOR, NEWEST, WIDGET
from tests.generators import (
    DOCUMENTS,
    GENERATORS,
    OPENAPI_GENERATOR,
    Clients,
    nullable_objects,
    openapi_generator,
    run,
)
from tests.node_programs import Programs, check_pins
from tests.service import CONTRACTS, Service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("generators")]

GO = Path(__file__).parent.parent / "go"
OTHERS = [(version, language) for version in (NEWEST, MAJOR) for language in LANGUAGES]
BINARY = ("application/x-ndjson", "text/csv")
"""The media types of streams, which openapi-python-client does not know."""


def test_the_packages_are_pinned(node: Programs) -> None:
    """One version each, and no registry in the lock file."""
    check_pins(node)


@pytest.mark.parametrize("version", DOCUMENTS)
def test_openapi_generator_finds_no_issue(version: str) -> None:
    """No error, no warning and no recommendation."""
    lines = openapi_generator("validate", "--input-spec", DOCUMENTS[version]).splitlines()
    assert [line for line in lines if line][1:] == ["No validation issues detected."]


@pytest.mark.parametrize("version", DOCUMENTS)
def test_redocly_finds_nothing(version: str, node: Programs) -> None:
    """No error and no warning of its recommended rules."""
    found = json.loads(node.run_tool("redocly", "lint", "--format", "json", DOCUMENTS[version]))
    assert (found["totals"], found["problems"]) == ({"errors": 0, "warnings": 0, "ignored": 0}, [])


def test_spectral_finds_nothing(node: Programs) -> None:
    """Not even a hint of its rules for OpenAPI."""
    (node.directory / "spectral.yaml").write_text("extends: ['spectral:oas']\n")
    options = ("--ruleset", "spectral.yaml", "--fail-severity", "hint")
    assert "No results" in node.run_tool("spectral", "lint", *options, *DOCUMENTS.values())


@pytest.mark.parametrize("generator", [name for name in GENERATORS if name != "openapi-typescript"])
@pytest.mark.parametrize("version", DOCUMENTS)
def test_each_schema_is_a_type_of_its_name(version: str, generator: str, clients: Clients) -> None:
    """No name is one that the language or the generator needs itself."""
    schemas = CONTRACTS[version].document["components"]["schemas"]
    names = {name for name, schema in schemas.items() if "type" in schema}  # others are unions
    assert names - clients.names(version, generator) == set()


@pytest.mark.parametrize("generator", [*OPENAPI_GENERATOR, "orval", "hey-api"])
@pytest.mark.parametrize("version", DOCUMENTS)
def test_each_generated_type_has_a_name_of_the_document(version: str, generator: str, clients: Clients) -> None:
    """No name is a position or has a number."""
    assert clients.positional(version, generator) == set()


@pytest.mark.parametrize("version", DOCUMENTS)
def test_openapi_python_client_numbers_nullable_objects_alone(version: str, clients: Clients) -> None:
    """It has a class for the object that is not null, whatever the document calls it."""
    expected = {f"{name}Type0" for name in nullable_objects(CONTRACTS[version].document)}
    assert clients.positional(version, "openapi-python-client") == expected


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_exports_are_files(version: str, generator: str, clients: Clients) -> None:
    """openapi-typescript, which has types alone and names none itself, has a string."""
    sources = clients.sources(version, generator)
    for noun in ("InteractionEvents", "Annotations"):
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", noun).lower()
        pattern = GENERATORS[generator].export.format(noun=noun, snake=snake, path=snake.replace("_", "-"))
        match = re.search(pattern, sources, re.DOTALL)
        assert match
        assert match[1] == GENERATORS[generator].type
    if generator == "typescript-fetch":
        assert "export type HttpFile = Blob & " in sources


@pytest.mark.parametrize("version", DOCUMENTS)
def test_openapi_python_client_generates_all(version: str, tmp_path: Path) -> None:
    """Nothing is missing once the media types of streams are named as binary."""
    configuration = tmp_path / "configuration.json"
    overrides = dict.fromkeys(BINARY, "application/octet-stream")
    configuration.write_text(json.dumps({"content_type_overrides": overrides}))
    options = ("--config", configuration, "--output-path", tmp_path / "client", "--fail-on-warning")
    printed = run("openapi-python-client", "generate", "--path", DOCUMENTS[version], *options)
    assert "Warning" not in printed
    for module in (tmp_path / "client").rglob("api/*/export_*.py"):
        assert "BytesIO(response.content)" in module.read_text()


def test_typescript_compiles(clients: Clients, node: Programs) -> None:
    """The types and clients of generators that need no other package, in strict mode."""
    entries = {"openapi-typescript": "schema.ts", "hey-api": "index.ts", "typescript-fetch": "index.ts"}
    modules = [clients(version, generator) / entry for version in DOCUMENTS for generator, entry in entries.items()]
    options = ("--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--moduleResolution", "bundler")
    assert node.run_tool("tsc", *options, "--module", "esnext", *modules) == ""


def test_a_client_in_go_calls_every_operation(clients: Clients, newest: Service, tmp_path: Path) -> None:
    """It builds as generated, and its files have what the hub reported."""
    project = shutil.copytree(GO, tmp_path / "project")
    shutil.copytree(clients(NEWEST, "go"), project / "client")
    environment = {
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "CGO_ENABLED": "0",
        "GOCACHE": str(tmp_path / "cache"),
        "GOPATH": str(tmp_path / "modules"),
    }
    run("go", "build", "-gcflags=all=-N -l", "-o", "reporter", ".", cwd=project, **environment)
    with newest.database.begin() as connection:
        _, key = hubs.create(connection, "client in Go")
    completed = subprocess.run(
        [project / "reporter", f"{newest.url}/api/v1", key, WIDGET],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert completed.returncode == 0, completed.stderr
    printed = json.loads(completed.stdout)
    assert (printed["status"], printed["batch_status"], printed["listed"]) == (201, 200, 2)
    first, second = printed["batch"]["results"]
    assert (first["status"], second["status"]) == ("duplicate", "created")
    assert printed["others"] == {
        "reportAnnotations": 1,
        "getAnnotation": "Why?",
        "listAnnotations": 2,
        "exportAnnotations": 2,
        "getHubCapabilityManifest": "go.tried",
        "listEventTypes": True,
        "listWidgets": True,
        "refused": 422,
        "getRejectedSubmission": "event_type_not_registered",
        "replayRejectedSubmissions": 422,
        "getUsage": True,
    }
    assert printed["stored"]["id"] == printed["read"]["id"] == first["id"]
    assert (printed["read"]["client_event_id"], printed["read"]["metadata"]) == ("one", {"button": "approve"})
    lines = [json.loads(line) for line in printed["exports"]["ndjson"].splitlines()]
    assert [(line["id"], line["event_type"]) for line in lines] == [(first["id"], "clicked"), (second["id"], "viewed")]
    header, *rows, end = printed["exports"]["csv"].splitlines()
    assert header.startswith("id,")
    assert [row.partition(",")[0] for row in rows] == [first["id"], second["id"]]
    assert end == ""


@pytest.fixture(scope="module")
def other_clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the clients that a service makes of two documents, in all languages, in one process."""
    directory = tmp_path_factory.mktemp("clients")
    configurations = []
    for version, language in OTHERS:
        made = recipe(prepare(CONTRACTS[version]), language)
        folder = directory / f"{version}-{language}"
        folder.with_suffix(f"{folder.suffix}.document").write_bytes(made.document)
        paths = {"inputSpec": f"{folder}.document", "outputDir": str(folder)}
        configurations.append(directory / f"{folder.name}.json")
        configurations[-1].write_text(json.dumps(json.loads(made.configuration) | paths))
    assert warnings(openapi_generator("batch", *configurations)) == []
    return directory


@pytest.mark.parametrize(("version", "language"), OTHERS)
def test_a_service_makes_clients_in_other_languages(version: str, language: str, other_clients: Path) -> None:
    """The generator takes each recipe without a warning, and each operation has a method."""
    made = recipe(prepare(CONTRACTS[version]), language)
    files = files_of(other_clients / f"{version}-{language}", made)
    text = "\n".join(files.values())
    assert "README.md" in files
    assert not re.search(r"GIT_USER_ID|Org\.OpenAPITools|package org\.openapitools|Build date|Unlicense", text)


def test_an_archive_is_the_same_each_time(other_clients: Path) -> None:
    """Wherever and whenever it is made. Its sources in Go parse."""
    generator = installed()
    assert generator
    made, folder = recipe(prepare(CONTRACTS[MAJOR]), "go"), other_clients / f"{MAJOR}-go"
    assert generator.archive(made, threading.Event()) == tarball(made.folder, files_of(folder, made))
    gofmt = Path(run("go", "env", "GOROOT", GOTOOLCHAIN="local").strip()) / "bin" / "gofmt"
    subprocess.run([gofmt, "-l", folder], check=True, capture_output=True)


@contextmanager
def mock_server(node: Programs, document: Path) -> Iterator[str]:
    """The URL of Prism, which answers as the document says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    command: list[str | Path] = [node.command("prism"), "mock", "--host", "127.0.0.1", "--port", port, document]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            lines: list[str] = []
            while "Prism is listening" not in "".join(lines[-1:]):
                lines.append(process.stdout.readline())
                assert lines[-1], "".join(lines)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_prism_answers_as_the_document_says(node: Programs) -> None:
    """The example and a list get the bodies and headers of the contract; a bad key or parameter is refused."""
    contract = CONTRACTS[NEWEST]
    with mock_server(node, DOCUMENTS[NEWEST]) as url, httpx.Client() as client:

        def status(method: str, query: str = "", key: str = "Bearer key", **body: Any) -> int:
            path = f"/interaction-events{query}"
            response = client.request(method, f"{url}{path}", headers={"Authorization": key}, **body)
            response.request = httpx.Request(method, f"{url}{contract.server_path}{path}")
            promises.check(response, contract)
            return response.status_code

        assert status("POST", json=EVENT) in {200, 201}
        assert status("GET") == 200
        assert status("GET", "?limit=many") == 422
        assert status("GET", key="Basic key") == 401


def test_prism_checks_bodies_if_no_enum_has_null(node: Programs, tmp_path: Path) -> None:
    """It adds null to the values of an enum that is nullable, and takes any body if null is there twice."""
    document = tmp_path / "document.yaml"
    document.write_text(DOCUMENTS[NEWEST].read_text().replace(", null]", "]"))
    with mock_server(node, document) as url:
        for body, status in ((EVENT, {200, 201}), ({"widget_id": WIDGET}, {422})):
            response = httpx.post(f"{url}/interaction-events", json=body, headers={"Authorization": "Bearer key"})
            assert response.status_code in status


@pytest.mark.parametrize("version", DOCUMENTS)
def test_postman_gets_a_request_for_each_operation(version: str, node: Programs, tmp_path: Path) -> None:
    """Each by its method and path."""
    collection = tmp_path / "collection.json"
    node.run_tool("openapi2postmanv2", "--spec", DOCUMENTS[version], "--output", collection)
    requests = postman_requests(json.loads(collection.read_text()))
    paths = [f"{request['method']} /{'/'.join(request['url']['path'])}" for request in requests]
    operations = Document.of_file(DOCUMENTS[version]).operations
    expected = [f"{operation.method.upper()} {operation.path}" for operation in operations]
    assert sorted(re.sub(r":(\w+)", r"{\1}", path) for path in paths) == sorted(expected)


def postman_requests(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests in a folder of a collection, at any depth."""
    if "request" in item:
        return [item["request"]]
    return [request for inner in item["item"] for request in postman_requests(inner)]
