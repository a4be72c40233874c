"""The pages of the clients: what there is to install for each version, and how to send with it."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import escape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import update

from db import contracts
from db.engine import Database
from db.tables import interaction_reporting_contracts as _table
from handlers.portal.reliable_sender import ReliableSender, reliable_sender
from openapi.contract import Contract
from openapi.generate.openapi_generator import program
from tests.contract.test_reliable_sender import PROGRAMS as RUNNERS
from tests.contract.test_reliable_sender import unpacked
from tests.examples import MAJOR, NEWEST, WIDGET
from tests.handlers.site.conftest import database_away
from tests.handlers.site.conftest import lonely_service as lonely_service  # noqa: PLC0414 - a fixture
from tests.handlers.site.test_contract_pages import oldest_as
from tests.openapi.generate.openapi_generator.test_program import fake
from tests.page_clients import BROWSER, as_program, require_harmless
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.readmes import blocks
from tests.service import CONTRACTS, Service
from tests.tokens import client_of
from tests.waiting import wait_until

Start = Callable[..., AbstractContextManager[Service]]
README_URL = "http://127.0.0.1:8080"
LANGUAGES = {"Python": "python", "TypeScript": "js"}
"""The languages of the samples, and their names in README."""


def sender(contract: Contract, url: str) -> ReliableSender:
    """The samples of a contract that has them."""
    samples = reliable_sender(contract, url)
    assert samples
    return samples


@pytest.mark.parametrize("path", ["/clients", "/contracts/{}/clients"])
@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_each_client_has_its_install_line_its_size_and_its_digest(
    newest: Service, browser: httpx.Client, path: str, version: str
) -> None:
    """As programs have them; each file, and each collection, is where the page says."""
    page = browser.get(path.format(version)).text
    require_harmless(page)
    for client in as_program(newest, f"/contracts/{version}/clients", "*/*").json()["clients"]:
        file = client["url"].removeprefix(newest.url)
        for shown in (f">{escape(client['install'])}</pre>", f"{client['bytes']:,} bytes", client["sha256"]):
            assert shown in page
        assert f'href="{file}"' in page
        assert len(browser.get(file).content) == client["bytes"]
    for name in ("collection", "http"):
        assert f'href="/contracts/{version}/{name}"' in page


def test_a_version_has_a_page_of_its_own(newest: Service, browser: httpx.Client) -> None:
    """Nothing of another version is there, but a link to all; programs get their list."""
    page = browser.get("/contracts/1.1/clients").text
    assert "<h1>Clients of version 1.1</h1>" in page
    assert "/contracts/2.0/" not in page
    assert '<a href="/clients">The clients of all versions</a>' in page
    for accept in (None, "*/*", "application/json"):
        response = as_program(newest, "/contracts/1.1/clients", accept)
        assert response.json()["version"] == "1.1"
        assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_is_the_code_of_readme(newest: Service, browser: httpx.Client, language: str) -> None:
    """With the URL of the reader's service in it."""
    (block,) = blocks("A reliable sender", LANGUAGES[language])
    assert sender(CONTRACTS[NEWEST], README_URL).samples[language] == block
    assert f">{escape(block.replace(README_URL, newest.url), quote=False)}</pre>" in shown(browser, NEWEST)


def shown(browser: httpx.Client, version: str) -> str:
    """The page of a version, with the quotes that need not be escaped as they are."""
    return browser.get(f"/contracts/{version}/clients").text.replace("&#34;", '"').replace("&#39;", "'")


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_of_version_2_sends_events(newest: Service, tmp_path: Path, language: str) -> None:
    """With the secret of a client in place of a key, and with the files that the page describes: both are stored."""
    name, command = RUNNERS[LANGUAGES[language]]
    client = client_of(newest)
    unpacked(CONTRACTS[MAJOR], tmp_path)
    said = sender(CONTRACTS[MAJOR], newest.url)
    values = {"YOUR-ID": client.client_id, "YOUR-SECRET": client.secret, "YOUR-WIDGET-ID": WIDGET}
    for file in said.files:
        (tmp_path / file.name).write_text(re.sub(r"YOUR[A-Z-]+", lambda found: values[found[0]], file.content))
    (tmp_path / name).write_text(said.samples[language])
    before = len(newest.events())
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([*command, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "sent 2, refused 0, pending 0"
    assert [event["event_type"] for event in newest.events()[before:]] == ["viewed", "clicked"]


def test_a_client_that_cannot_be_had_says_why(
    start_service: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database
) -> None:
    """It has no install line; and a contract that no client can call has the reason in their place."""
    document = CONTRACTS["1.1"].copy()
    document["info"]["version"] = "1.2"
    document["components"]["schemas"]["Usage"] = {"allOf": [{}, {"type": "string"}]}
    with database.begin() as connection:
        contracts.publish(connection, "1.2", json.dumps(document), "digest")
        connection.execute(update(_table).where(_table.c.contract_version == "1.2").values(status="superseded"))
    monkeypatch.setattr(program, "installed", lambda: fake("fails", tmp_path))
    with start_service(IR_CLIENT_LANGUAGES="go") as service, visitor(service) as browser:
        wait_until(lambda: "It exited with 1" in browser.get("/contracts/1.1/clients").text, pause=0.2)
        failed = browser.get("/contracts/1.1/clients").text
        impossible = browser.get("/contracts/1.2/clients").text
    assert '<span class="pill rejected">failed</span>' in failed
    assert '<p class="prose">It exited with 1: it does not know document.json.</p>' in failed
    assert "Install for Go" not in failed
    assert "This version has no client." in impossible
    assert "no client can be made of this contract: /components/schemas/Usage" in impossible
    assert "Use the document with a generator of your own." in impossible


def test_a_generator_that_is_not_installed_is_named(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the operator installs. Without an active contract the page says so."""
    monkeypatch.setattr(program, "installed", lambda: None)
    with start_service(IR_CLIENT_LANGUAGES="go") as service, visitor(service) as browser:
        page = browser.get("/clients").text
        with service.database.begin() as connection:
            connection.execute(update(_table).values(status="superseded"))
        wait_until(lambda: "No contract is active." in browser.get("/clients").text)
        empty = browser.get("/clients").text
    assert '<span class="pill ">not installed</span>' in page
    assert "Let the operator install &#39;interaction-reporting[codegen]&#39;" in page
    assert "interaction-reporting contract activate" in empty
    assert "pip install" not in empty


def visitor(service: Service) -> httpx.Client:
    """A client that prefers HTML."""
    return httpx.Client(base_url=service.url, headers={"accept": BROWSER}, timeout=30)


@pytest.fixture
def with_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each service offers clients in Go."""
    monkeypatch.setattr(program, "installed", lambda: fake("works", tmp_path))
    monkeypatch.setenv("IR_CLIENT_LANGUAGES", "go")


@pytest.mark.usefixtures("with_go")
def test_without_its_database_the_page_shows_what_was_known(lonely_service: Service) -> None:
    """But for the clients whose files are in the database."""
    with visitor(lonely_service) as browser:
        before = browser.get("/clients")
        with database_away(lonely_service):
            wait_until(lambda: "Install for Go" not in browser.get("/clients").text)
            response = browser.get("/clients")
    assert (response.status_code, "Install for Go" in before.text) == (200, True)
    assert "The database cannot be reached." in response.text
    assert f"pip install {lonely_service.url}/contracts/1.1/clients/" in response.text
    assert "Clients in other languages are shown again when the database is back." in response.text


@pytest.mark.parametrize("name", ["9.9", "1 .1", "<script>", '"><img>', "1.1?", "#", "%", "\u202e1.1", "🦆", "x" * 200])
def test_an_unknown_version_is_404_with_the_known_ones(browser: httpx.Client, name: str) -> None:
    """As a page."""
    response = browser.get(f"/contracts/{quote(name, safe='')}/clients")
    assert response.status_code == 404
    for version in ("1.0", "1.1", "2.0"):
        assert f'<a href="/contracts/{version}">Version {version}</a>' in response.text
    assert name in {"#", "%"} or name not in response.text


def test_a_retired_version_has_no_clients(newest: Service, browser: httpx.Client) -> None:
    """410, as a page; a superseded one has its clients still."""
    with oldest_as(newest, status="retired"):
        response = browser.get("/contracts/1.0/clients")
    assert response.status_code == 410
    assert "<h1>Version 1.0 of this API is retired</h1>" in response.text
    assert browser.get("/contracts/1.0/clients").status_code == 200
