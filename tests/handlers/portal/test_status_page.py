"""The page of the status: what works, what serves, and since when."""

import re
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import httpx
import pytest
from psycopg.sql import SQL

from db import contracts
from handlers.portal.status_page import FAULTS
from handlers.site import health
from openapi.standards.date_times import render
from scripts.trials.fresh_service import service_on
from tests.examples import EVENT, PATH
from tests.handlers.site.conftest import database_away
from tests.handlers.site.conftest import lonely_service as lonely_service  # noqa: PLC0414 - a fixture
from tests.handlers.site.test_health import FULL, REFUSING
from tests.page_clients import BROWSER, SECONDS, require_harmless
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

Start = Callable[..., AbstractContextManager[Service]]
STORES, READS, TOKENS, DOCUMENTS, ITSELF = (
    "Events, annotations, manifests",
    "Lists, exports, usage",
    "Access tokens",
    "Documents of contracts, clients",
    "Problems, this page",
)


def page_of(service: Service) -> str:
    """The page, which is always 200."""
    response = httpx.get(f"{service.url}/status", headers={"accept": BROWSER}, timeout=30)
    assert response.status_code == 200
    return response.text


def title(page: str) -> str:
    """The heading."""
    heading: str = re.findall("<h1>(.*)</h1>", page)[0]
    return heading


def abilities(page: str) -> dict[str, str]:
    """The state of each thing that hubs and people do."""
    rows = re.findall(r'<th scope="row">([A-Z][^<]*)</th>\s*<td>\s*<span class="pill \w+">(\w+)</span>', page)
    return dict(rows)


def rows_of(service: Service) -> dict[str, contracts.ContractRow]:
    """The rows of the contracts that are served."""
    with service.database.begin() as connection:
        rows = contracts.list_all(connection)
    return {row.contract_version: row for row in rows if row.status in contracts.SERVING}


def test_a_service_that_works_says_what_it_serves_and_since_when(newest: Service, browser: httpx.Client) -> None:
    """With its release, and the start of the worker."""
    page = browser.get("/status").text
    require_harmless(page)
    assert title(page) == "The service works"
    assert abilities(page) == dict.fromkeys((STORES, READS, TOKENS, DOCUMENTS, ITSELF), "works")
    assert f"<dd>{version('interaction-reporting')}</dd>" in page
    started = re.findall(r'This worker started</dt><dd><time datetime="([^"]*)"', page)[0]
    assert datetime.fromisoformat(started) < datetime.now(UTC)
    rows = rows_of(newest)
    assert rows
    for number, row in rows.items():
        assert f'<a href="/contracts/{number}">{number}</a>' in page
        assert row.activated_at
        assert f'<time datetime="{render(row.activated_at)}"' in page
    assert page.count("no end is set") == len(rows)


def test_a_deprecated_version_has_its_dates(start_service: Start) -> None:
    """Since when it is deprecated, and until when it is served."""
    with start_service() as service:
        with service.database.begin() as connection:
            row = contracts.deprecate(connection, "1.1", datetime.now(UTC) + timedelta(days=90))
        wait_until(lambda: '<span class="pill waiting">deprecated</span>' in page_of(service))
        page = page_of(service)
    for label, instant in (("Deprecated", row.deprecated_at), ("Served until", row.sunset_at)):
        assert instant
        assert f'<td data-label="{label}"><time datetime="{render(instant)}"' in page


def test_the_page_outlives_the_database(lonely_service: Service) -> None:
    """It says what still works, and where the database is it says not. Dates are there once the rows were read."""
    with database_away(lonely_service):
        unread = page_of(lonely_service)
    wait_until(lambda: title(page_of(lonely_service)) == "The service works")
    with database_away(lonely_service):
        page = page_of(lonely_service)
    away = dict.fromkeys((STORES, READS, TOKENS, DOCUMENTS), "refused") | {ITSELF: "works"}
    for each in (unread, page):
        assert (title(each), abilities(each)) == ("The database is away", away)
        assert "The dates are from before the database was lost." in each
        assert each.count('data-label="Base URL"') == 2
        assert lonely_service.database_url.split("host=")[1] not in each
    assert [each.count('data-label="Since"><time') for each in (unread, page)] == [0, 2]


def test_what_cannot_be_stored_can_be_read(start_service: Start) -> None:
    """On a full disk; how the database put it is for the operator."""
    with start_service() as service, service.client() as client:
        statement(service.database_url, FULL, REFUSING)
        assert client.post(PATH, json=EVENT).status_code == 503
        page = page_of(service)
        statement(service.database_url, SQL("DROP TRIGGER refusing ON interaction_events"))
    assert title(page) == "Not everything can be stored now"
    assert abilities(page) == dict.fromkeys((READS, TOKENS, DOCUMENTS, ITSELF), "works") | {STORES: "refused"}
    assert "DiskFull" not in page


def test_a_service_that_drains_says_so(directory: Path) -> None:
    """While it still takes requests."""
    with service_on(directory, IR_DRAIN_DELAY="8") as service:
        service.process.terminate()
        wait_until(lambda: httpx.get(f"{service.url}/health/ready", timeout=SECONDS).status_code == 503)
        page = httpx.get(f"{service.url}/status", headers={"accept": BROWSER}, timeout=SECONDS)
        assert page.status_code == 200
        assert title(page.text) == "This worker is about to stop"
        assert set(abilities(page.text).values()) == {"works"}


def test_warnings_are_not_for_the_public(newest: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness has them, for the operator; nor is a hub named."""
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**60)
    page = page_of(newest)
    assert httpx.get(f"{newest.url}/health/ready", timeout=SECONDS).json()["warnings"]
    assert title(page) == "The service works"
    assert tempfile.gettempdir() not in page
    assert "hub " not in re.sub(r"\s+", " ", page)


def test_each_reason_has_words() -> None:
    """So that none is shown as a service that works."""
    assert FAULTS.keys() == set(get_args(health.About))
