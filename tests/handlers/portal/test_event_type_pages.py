"""The pages of event types in a browser: each type, and names that nobody registered."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from db import contracts
from handlers.contracts.publications import Publication
from handlers.paths import event_type_path
from handlers.portal.example_event import example_event
from tests.examples import MAJOR, NEWEST, WIDGET
from tests.handlers.conftest import Hub
from tests.handlers.portal.event_type_registry import all_names, text_of
from tests.handlers.portal.event_type_registry import newest as newest  # noqa: PLC0414 - a fixture
from tests.handlers.portal.event_type_registry import register as register  # noqa: PLC0414 - a fixture
from tests.page_clients import BROWSER, SECONDS, as_program
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.postgresql import fresh_database
from tests.service import Service, running

SURVEY = {
    "type": "object",
    "properties": {
        "score": {"type": "integer", "minimum": 3, "description": "What was chosen."},
        "survey": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
        "person": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}, "required": ["name"]},
    },
    "required": ["score"],
    "additionalProperties": False,
}
HOSTILE = [
    *("a/b", "/", "//", "what?", "#", "50%", "%2F", "%", " ", "a b", "+", "&amp;", "a&b=c", ";", "."),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "it's", "\\", "{{7*7}}", "javascript:alert(1)"),
    *("\u202egnp.exe", "\u200b", "ÅE", "n" * 200, "é" * 200, "😀", "👩‍👩‍👧", "..", "../..", "a/../b", "clicked/"),
]


def command_of(page: httpx.Response) -> list[str]:
    """The arguments of the first command in the page that sends an event."""
    command, *_ = re.findall(r'<pre tabindex="0" aria-label="curl, [^"]*">(.*?)</pre>', page.text, re.DOTALL)
    return shlex.split("curl " + unescape(command).rpartition("curl ")[2].replace("\\\n", " "))


def event_of(page: httpx.Response) -> dict[str, Any]:
    """The event that the command in the page sends."""
    arguments = command_of(page)
    event: dict[str, Any] = json.loads(arguments[arguments.index("-d") + 1].replace("$WIDGET_ID", WIDGET))
    return event


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_shown_and_found_again(
    browser: httpx.Client, register: Callable[..., str], name: str
) -> None:
    """In the list, at the path of its link, and in the command that sends an event of it."""
    register(name, description=name, metadata_schema={"type": "object", "properties": {name: {"title": name}}})
    part = name if name.strip() else ""
    assert name in all_names(browser, f"/event-types?q={quote(part, safe='')}")
    page = browser.get(event_type_path(name))
    assert page.status_code == 200
    (heading,) = re.findall("<h1><bdi><code>(.*?)</code></bdi></h1>", page.text, re.DOTALL)
    assert unescape(heading) == name
    for dangerous in ("<script>", "<img", "onerror=alert(1)>", "\u202e</"):
        assert dangerous not in page.text.replace(f"{name}</", "")
    event = event_of(page)
    assert (event["event_type"], event["metadata"]) == (name, {name: "text"})


def test_a_program_finds_no_page_of_a_type(newest: Service) -> None:
    """As at any other path."""
    for path in ("/event-types/clicked", "/event-types/a%2Fb", "/event-types/"):
        response = as_program(newest, path, "*/*")
        assert (response.status_code, response.json()["error"]) == (404, "there is nothing at this path")


def test_the_page_of_a_type_says_what_it_is(browser: httpx.Client, register: Callable[..., str], prefix: str) -> None:
    """Its status, version, days, and its schema in words and as JSON."""
    name = register(f"{prefix}.said", description="A survey.", version=3, keep_days=1, metadata_schema=SURVEY)
    page = browser.get(f"/event-types/{name}")
    words = text_of(page)
    for expected in (
        f"{name} active A survey. Version 3 Registered ",
        "Registered by framework Its events are kept at most 1 day ",
        "score What was chosen. INTEGER required at least 3",
        "survey TEXT optional matching ^[A-Z]{3}-[0-9]{4}$",
        "person.name TEXT or null required \N{EN DASH}",
        "Other fields are refused.",
    ):
        assert expected in words
    (schema,) = re.findall(r'aria-label="JSON Schema">(.*?)</pre>', page.text, re.DOTALL)
    assert json.loads(unescape(schema)) == SURVEY
    clicked = text_of(browser.get("/event-types/clicked"))
    assert "Its events are kept as long as all others" in clicked
    assert "Events may have any JSON object as metadata , or none." in clicked


@pytest.mark.parametrize("schema", [None, SURVEY], ids=["without a schema", "with a schema"])
def test_the_example_event_is_taken_as_it_is(
    browser: httpx.Client, register: Callable[..., str], hub: Hub, prefix: str, schema: Any
) -> None:
    """By the service at the reader's own address: a dry run checks it against the contract and the schema."""
    name = register(f"{prefix}.example", metadata_schema=schema)
    page = browser.get(f"/event-types/{name}")
    assert any(argument.startswith(f"{hub.service.url}/api/v") for argument in command_of(page))
    event = event_of(page)
    assert ("metadata" in event) == (schema is not None)
    stored = hub.post("/interaction-events", event, headers={"Prefer": "dry-run"})
    assert stored.status_code == 200, stored.text


def test_there_is_a_command_for_each_kind_of_credentials(browser: httpx.Client) -> None:
    """For the version that takes them, the newest first, with a variable for each value of the reader."""
    found = re.findall(r'aria-label="curl, ([^"]*)">(.*?)</pre>', browser.get("/event-types/clicked").text, re.DOTALL)
    assert [way for way, _ in found] == [f"with a client: version {MAJOR}", f"with an API key: version {NEWEST}"]
    for (_, command), names in zip(found, (("CLIENT_ID", "CLIENT_SECRET"), ("API_KEY",)), strict=True):
        set_first, _, rest = unescape(command).partition("\n")
        assert set(re.findall(r"(\w+)=YOUR-", set_first)) == {*names, "WIDGET_ID"}
        assert all(f"${name}" in rest for name in (*names, "WIDGET_ID"))


def test_without_a_valid_example_the_page_says_so(
    browser: httpx.Client, register: Callable[..., str], prefix: str
) -> None:
    """If no metadata can be found, or the schema is none, as one that was written by hand."""
    number = {"type": "integer", "multipleOf": 7, "minimum": 15, "maximum": 20}
    schemas = {
        "No metadata were found": {"type": "object", "properties": {"a": number}, "required": ["a"]},
        "The schema cannot be read": {"type": 5},
    }
    for words, schema in schemas.items():
        page = browser.get(f"/event-types/{register(f'{prefix}.without', metadata_schema=schema)}")
        assert page.status_code == 200
        assert words in text_of(page)
        assert 'aria-label="curl' not in page.text


def test_an_example_that_the_contract_refuses_is_not_shown(newest: Service) -> None:
    """The fault is told instead."""
    with newest.database.begin() as connection:
        row = contracts.get(connection, "1.1")
    narrow = Publication(replace(row, document=row.document.replace("maxLength: 200", "maxLength: 3")))
    refused = example_event("clicked", None, narrow, newest.url)
    assert (refused.curl, refused.version) == ("", "")
    assert refused.fault.startswith("The contract 1.1 refuses every event that was tried: event_type")
    assert example_event("clicked", None, Publication(row), newest.url).version == "1.1"
    assert "No contract is active" in example_event("clicked", None, None, "").fault


def test_a_deprecated_type_has_no_example(browser: httpx.Client, register: Callable[..., str], prefix: str) -> None:
    """Its new events are refused, and the page says so."""
    name = register(f"{prefix}.old", status="deprecated", metadata_schema=SURVEY)
    page = browser.get(f"/event-types/{name}")
    assert "New events of this type are refused" in text_of(page)
    assert 'aria-label="curl' not in page.text
    assert "New events of this type are refused" not in text_of(browser.get("/event-types/clicked"))


@pytest.mark.parametrize(
    "path",
    ["/event-types/clickd", "/event-types/", "/event-types/%00", "/event-types/%FF", "/event-types/%ED%A0%80",
     f"/event-types/{'x' * 300}", "/event-types/%3Cscript%3E", "/event-types/CLICKED"],
    ids=range(8),
)  # fmt: skip
def test_an_unknown_name_leads_on(browser: httpx.Client, path: str) -> None:
    """To similar names, and to how to register it."""
    page = browser.get(path)
    assert page.status_code == 404
    assert (page.headers["vary"], page.headers["cache-control"]) == ("Accept", "no-cache")
    assert "content-security-policy" in page.headers
    assert "interaction-reporting event-type register NAME" in text_of(page)
    assert "capability manifest" in text_of(page)
    assert "<script>" not in page.text
    assert ('href="/event-types/clicked"' in page.text) == ("click" in path.lower())
    assert browser.head(path).status_code == 404


def test_a_waiting_name_is_unknown(browser: httpx.Client, register: Callable[..., str], prefix: str) -> None:
    """Until it is approved."""
    name = register(f"{prefix}.waits", status="pending", description="Secret.")
    page = browser.get(f"/event-types/{name}")
    assert page.status_code == 404
    assert "Secret." not in page.text


def test_the_page_of_a_type_is_revalidated(browser: httpx.Client, register: Callable[..., str], prefix: str) -> None:
    """Until the type changes; HEAD has its length."""
    path = f"/event-types/{register(f'{prefix}.tag')}"
    page = browser.get(path)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    same = {"if-none-match": page.headers["etag"]}
    assert (browser.get(path, headers=same).status_code, browser.head(path).headers["content-length"]) == (
        304,
        page.headers["content-length"],
    )
    register(f"{prefix}.tag", description="Other words.")
    assert browser.get(path, headers=same).status_code == 200


def test_the_first_page_leads_to_the_event_types(browser: httpx.Client) -> None:
    """In the bar, and where a reader needs a name."""
    assert browser.get("/").text.count('href="/event-types"') == 2


@contextmanager
def without_database(embedded_url: str, template: str) -> Iterator[httpx.Client]:
    """A browser of a service that had a database once."""
    name = "event_types_away"
    with (
        fresh_database(embedded_url, name, template) as url,
        running(url) as service,
        httpx.Client(base_url=service.url, headers={"accept": BROWSER}, timeout=SECONDS) as client,
    ):
        client.get("/event-types")
        with psycopg.connect(embedded_url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield client


def test_without_the_database_a_page_asks_to_come_back(embedded_url: str, template: str) -> None:
    """503, as a page, with the seconds to wait."""
    with without_database(embedded_url, template) as client:
        for path in ("/event-types", "/event-types/clicked"):
            page = client.get(path)
            assert page.status_code == 503
            assert int(page.headers["retry-after"]) > 0
            assert "cannot reach its database" in text_of(page)
