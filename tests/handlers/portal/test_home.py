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
from tests.waiting import wait_until

StartService = Callable[..., AbstractContextManager[Service]]
WAYS = [f"a client: version {MAJOR}", f"an API key: version {NEWEST}"]
"""What authenticates, and the version that takes it."""


def first_page(service: Service) -> httpx.Response:
    """The page."""
    return httpx.get(service.url, headers={"accept": BROWSER}, timeout=SECONDS)


def samples(service: Service) -> dict[str, dict[str, str]]:
    """The samples of the page by their captions, below what authenticates and the version."""
    found: dict[str, dict[str, str]] = {}
    for part in first_page(service).text.split("<h3>With ")[1:]:
        texts = re.findall(r"<figcaption>(.*?)</figcaption><pre[^>]*>(.*?)</pre>", part, re.DOTALL)
        found[part.partition("</h3>")[0]] = {caption: html.unescape(text) for caption, text in texts}
    return found


def filled(service: Service, sample: str, client: Client) -> str:
    """A sample with the credentials of a hub and a widget that is registered."""
    values = {
        "YOUR-KEY": service.key,
        "YOUR-ID": client.client_id,
        "YOUR-SECRET": client.secret,
        "YOUR-WIDGET-ID": WIDGET,
    }
    for name, value in values.items():
        sample = sample.replace(name, value)
    assert "YOUR-" not in sample
    return sample


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
@pytest.mark.parametrize("way", WAYS)
def test_each_sample_stores_an_event(start_service: StartService, tmp_path: Path, way: str) -> None:
    """In curl, Python and TypeScript, as it stands but for credentials and the id of a widget."""
    with start_service() as service:
        client = client_of(service)
        texts = {name: filled(service, text, client) for name, text in samples(service)[way].items()}
        assert list(texts) == ["curl", "Python", "TypeScript"]
        assert "201 Created" in run(["sh", "-c", texts["curl"]], tmp_path)
        for name, file, program in (("Python", "first.py", sys.executable), ("TypeScript", "first.mjs", "node")):
            installed(texts[name], tmp_path)
            (tmp_path / file).write_text(texts[name])
            run([program, file], tmp_path)
        assert [event["event_type"] for event in service.events()] == ["clicked"] * 3


def test_a_refused_client_is_told_why(newest: Service, tmp_path: Path) -> None:
    """By the command, which ends there: it prints the answer of the token endpoint, and sends no event."""
    command = samples(newest)[f"a client: version {MAJOR}"]["curl"]
    ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "'error': 'invalid_client'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_only_versions_that_are_served_have_samples(start_service: StartService) -> None:
    """A deprecated one has them while it is served, below those that are active."""
    with start_service() as service:
        assert list(samples(service)) == WAYS
        with service.database.begin() as connection:
            contracts.deprecate(connection, MAJOR, datetime.now(UTC) + timedelta(days=200))
        wait_until(lambda: list(samples(service)) == WAYS[::-1])
        with service.database.begin() as connection:
            contracts.retire(connection, MAJOR, before_sunset=True)
        wait_until(lambda: list(samples(service)) == WAYS[1:])


def test_the_steps_say_where_operators_do_their_part(newest: Service) -> None:
    """A hub and a widget, by a page or by a command."""
    page = first_page(newest).text
    for path in ("/admin", "/admin/hubs", "/admin/widgets"):
        assert f'<a href="{path}">' in page
    for command in ("hub create", "hub issue-client", "widget register"):
        assert f"<code>interaction-reporting {command} " in page


@pytest.mark.parametrize(
    ("path", "place"), [("/hub", "/admin/hubs"), ("/event-types", "/admin/event-types"), ("/clients", "/admin/widgets")]
)
def test_pages_lead_to_what_operators_do(newest: Service, path: str, place: str) -> None:
    """To the page of the admin beside the command, and from each footer to the first one."""
    page = httpx.get(f"{newest.url}{path}", headers={"accept": BROWSER}, timeout=SECONDS).text
    assert f'<a href="{place}">' in page
    assert '<a href="/admin">Operators</a>' in page


def test_versions_have_their_status_and_their_end(start_service: StartService) -> None:
    """Those that are served, with the date of their sunset."""
    with start_service() as service:
        sunset = datetime.now(UTC) + timedelta(days=200)
        with service.database.begin() as connection:
            contracts.deprecate(connection, NEWEST, sunset)
        text = first_page(service).text
        rows = re.findall(r'<tr>\s*<th scope="row"><a href="/contracts/([^"]*)">.*?</tr>', text, re.DOTALL)
        assert rows == [MAJOR, NEWEST]
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
    assert len(paths) == 6
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
