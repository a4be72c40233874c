"""The first page: versions, a first event that works, and the refusals that a new hub meets."""

import html
import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from db import contracts
from tests.examples import MAJOR, NEWEST, WIDGET
from tests.handlers.site.conftest import database_away
from tests.handlers.site.conftest import lonely_service as lonely_service  # noqa: PLC0414 - a fixture
from tests.page_clients import BROWSER, SECONDS
from tests.service import Service
from tests.tokens import Client, client_of

StartService = Callable[..., AbstractContextManager[Service]]


def first_page(service: Service) -> httpx.Response:
    """The page."""
    return httpx.get(service.url, headers={"accept": BROWSER}, timeout=SECONDS)


def samples(service: Service) -> dict[str, str]:
    """The samples of the page by their captions."""
    found = re.findall(r"<figcaption>(.*?)</figcaption><pre[^>]*>(.*?)</pre>", first_page(service).text, re.DOTALL)
    return {caption: html.unescape(text) for caption, text in found}


def filled(service: Service, sample: str, client: Client | None) -> str:
    """A sample with the credentials of a hub and a widget that is registered."""
    values = {"YOUR-KEY": service.key, "$API_KEY": service.key}
    if client:
        values |= {
            '"$CLIENT_ID:$CLIENT_SECRET"': f"{client.client_id}:{client.secret}",
            "YOUR-ID": client.client_id,
            "YOUR-SECRET": client.secret,
        }
    for name, value in values.items():
        sample = sample.replace(name, value)
    return sample.replace("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", WIDGET)


def installed(sample: str, directory: Path) -> None:
    """Unpack what the install line of a sample names."""
    (url,) = re.findall(r"^(?:#|//) (?:pip|npm) install (\S+)$", sample, re.MULTILINE)
    content = io.BytesIO(httpx.get(url, timeout=SECONDS).raise_for_status().content)
    if url.endswith(".whl"):
        with zipfile.ZipFile(content) as wheel:
            wheel.extractall(directory)  # noqa: S202 - made by the service
        return
    modules = directory / "node_modules"
    with tarfile.open(fileobj=content) as tarball:
        tarball.extractall(modules, filter="data")
    (modules / "package").rename(modules / "interaction-reporting-client")


def run(command: list[str], directory: Path) -> str:
    """What a program prints."""
    environment = os.environ | {"PYTHONPATH": str(directory)}
    ran = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.costly  # npm and Node.js
@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_each_sample_stores_an_event(version: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """In curl, Python and TypeScript, as it stands but for credentials and the id of a widget."""
    if version == NEWEST:
        request.getfixturevalue("version_1_alone")
    with request.getfixturevalue("start_service")() as service:
        client = client_of(service) if version == MAJOR else None
        texts = {name: filled(service, text, client) for name, text in samples(service).items()}
        assert list(texts) == ["curl", "Python", "TypeScript"]
        assert "201 Created" in run(["sh", "-c", texts["curl"]], tmp_path)
        for name, file, program in (("Python", "first.py", sys.executable), ("TypeScript", "first.mjs", "node")):
            installed(texts[name], tmp_path)
            (tmp_path / file).write_text(texts[name])
            run([program, file], tmp_path)
        assert [event["event_type"] for event in service.events()] == ["clicked"] * 3


def test_versions_have_their_status_and_their_end(start_service: StartService) -> None:
    """Those that are served, with the date of their sunset."""
    with start_service() as service:
        sunset = datetime.now(UTC) + timedelta(days=200)
        with service.database.begin() as connection:
            contracts.deprecate(connection, NEWEST, sunset)
        text = first_page(service).text
        rows = re.findall(r'<tr>\s*<th scope="row"><a href="/contracts/([^"]*)">.*?</tr>', text, re.DOTALL)
        assert rows == [NEWEST, MAJOR]
        assert ">deprecated</span>" in text
        assert sunset.strftime("%-d %B %Y") in text


def test_without_a_contract_the_page_says_what_to_do(start_service: StartService) -> None:
    """It names the command of the operator, and has no first event."""
    with start_service() as service:
        with service.database.begin() as connection:
            for version in (NEWEST, MAJOR):
                contracts.deprecate(connection, version, datetime.now(UTC) + timedelta(days=200))
                contracts.retire(connection, version, before_sunset=True)
        text = first_page(service).text
        assert "No contract is active." in text
        assert "interaction-reporting contract activate" in text
        assert "A first event" not in text


def test_the_refusals_lead_to_their_pages(newest: Service) -> None:
    """Each of them has a page."""
    paths = set(re.findall(r'href="(/problems/[a-z_]+)"', first_page(newest).text))
    assert len(paths) == 5
    for path in paths:
        assert httpx.get(f"{newest.url}{path}", timeout=SECONDS).status_code == 200


def test_the_page_goes_on_without_the_database(lonely_service: Service) -> None:
    """It says that it shows what was known before; a service that knew nothing answers 503."""
    assert "cannot be reached" not in first_page(lonely_service).text
    with database_away(lonely_service):
        pages = list(_until_stale(lonely_service))
        assert pages[-1].status_code == 200
        assert 'href="/contracts/1.1"' in pages[-1].text
    assert {page.status_code for page in pages} == {200}


def _until_stale(service: Service) -> Iterator[httpx.Response]:
    """Each page until one says that the database is away: for a second the reading before counts."""
    for _ in range(200):
        page = first_page(service)
        yield page
        if "cannot be reached" in page.text:
            return
    raise AssertionError("no page says that the database is away")
