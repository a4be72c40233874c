"""The published contracts over HTTP: content negotiation, conditional requests, and their errors."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml
from psycopg.sql import SQL, Composed
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from db import contracts
from db.engine import Database
from handlers.contracts.publications import Publications
from handlers.site import contract_pages
from handlers.site.service_state import SERVICE
from openapi.contract import Contract
from openapi.diff.reports.changelog import changelog
from openapi.rendering.card import card
from openapi.rendering.served_copy import served_copy
from openapi.serving.dispatch import ErrorMiddleware
from tests.postgresql import statement
from tests.scopes import new_request_state
from tests.service import CONTRACTS, Service
from tests.waiting import wait_until

JSON, YAML, MARKDOWN = "application/json", "application/yaml", "text/markdown"
CHANGE = SQL("UPDATE interaction_reporting_contracts SET document = {}, status = {} WHERE contract_version = '1.0'")
PAGES = ("/contracts", "/contracts/1.0", "/contracts/1.0/card", "/contracts/1.0/changelog")
OLDEST = CONTRACTS["1.0"]


@pytest.fixture
def public(newest: Service) -> Iterator[httpx.Client]:
    """A client without credentials, of a service that tests share."""
    with httpx.Client(base_url=newest.url) as client:
        yield client


@contextmanager
def oldest_as(service: Service, document: str | None = None, status: str = "superseded") -> Iterator[None]:
    """Change the row of a contract that is not served, and restore it at the end; the service notices each change."""

    def change(to: Composed) -> None:
        before = httpx.get(service.url + "/contracts").text
        statement(service.database_url, to)
        wait_until(lambda: httpx.get(service.url + "/contracts").text != before)

    change(CHANGE.format(document or OLDEST.text, status))
    try:
        yield
    finally:
        change(CHANGE.format(OLDEST.text, "superseded"))


def get(client: httpx.Client, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """The response to a request with these header fields; without `accept` it has no such field."""
    request = client.build_request(method, path)
    del request.headers["accept"]
    request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return client.send(request)


def listed(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """The entry of each version in the list."""
    return {contract["version"]: contract for contract in client.get("/contracts").json()["contracts"]}


def test_the_list_of_contracts_is_public(public: httpx.Client) -> None:
    """The list has the status of each contract, and its links lead to its pages."""
    entries = listed(public)
    assert {version: (entry["status"], entry["digest"]) for version, entry in entries.items()} == {
        "1.0": ("superseded", OLDEST.digest),
        "1.1": ("active", CONTRACTS["1.1"].digest),
        "2.0": ("active", CONTRACTS["2.0"].digest),
    }
    for entry in entries.values():
        assert {public.get(link).status_code for link in entry["links"].values()} == {200}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        (JSON, JSON),
        (YAML, YAML),
        (MARKDOWN, MARKDOWN),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("application/vnd.oai.openapi", "application/vnd.oai.openapi"),
        (f"text/html;q=0.5, {YAML};q=0.9, */*;q=0.1", YAML),
    ],
)
def test_a_contract_is_sent_in_the_requested_media_type(
    newest: Service, public: httpx.Client, accept: str | None, media_type: str
) -> None:
    """JSON by default, YAML as published but for the service's URL in it, and the card."""
    response = get(public, "/contracts/1.0", **({"accept": accept} if accept else {}))
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == media_type
    if media_type == MARKDOWN:
        assert response.text == public.get("/contracts/1.0/card").text
        assert response.text.startswith("# Interaction Reporting API\n")
    elif media_type.endswith("json"):
        assert response.json() == served_copy(OLDEST, newest.url).document
    else:
        assert response.text == served_copy(OLDEST, newest.url).text


@pytest.mark.parametrize("path", PAGES)
def test_browsers_may_read_and_cache_public_pages(public: httpx.Client, path: str) -> None:
    """From any origin, without sniffing the media type, and with revalidation each time."""
    headers = public.get(path).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    assert headers["vary"] == "Accept"
    assert headers["etag"].startswith('"')
    assert headers["x-request-id"]


@pytest.mark.parametrize("path", PAGES)
def test_a_cached_page_is_not_sent_again(public: httpx.Client, path: str) -> None:
    """304 without a body and with the fields that a cache needs; another tag gets the whole page."""
    whole = public.get(path)
    etag = whole.headers["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = get(public, path, if_none_match=condition)
        assert (response.status_code, response.content) == (304, b"")
        names = ("etag", "cache-control", "vary", "access-control-allow-origin")
        assert [response.headers[name] for name in names] == [whole.headers[name] for name in names]
    assert get(public, path, if_none_match='"other"').content == whole.content


def test_each_media_type_has_a_tag_of_its_own(public: httpx.Client) -> None:
    """A cached representation is not taken for another one."""
    tags = {get(public, "/contracts/1.0", accept=accept).headers["etag"] for accept in (JSON, YAML, MARKDOWN)}
    assert len(tags) == 3
    etag = get(public, "/contracts/1.0", accept=JSON).headers["etag"]
    assert get(public, "/contracts/1.0", accept=YAML, if_none_match=etag).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_head_gets_the_header_fields_of_get(public: httpx.Client, path: str) -> None:
    """The same fields, without a body."""
    whole, head = public.get(path), public.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("GET", "/contracts/9.9", None, 404),
        ("GET", "/contracts/%00", None, 404),
        ("GET", "/contracts/1.0%2F", None, 404),
        ("GET", "/contracts/", None, 404),
        ("GET", "/contracts/1.0/else", None, 404),
        ("GET", "/contractsx", None, 404),
        ("POST", "/contracts", None, 405),
        ("DELETE", "/contracts/1.0", None, 405),
        ("GET", "/contracts", "image/png", 406),
        ("GET", "/contracts/1.0", "image/png", 406),
        ("GET", "/contracts/1.0/card", JSON, 406),
    ],
)
def test_errors_have_the_common_shape(
    public: httpx.Client, method: str, path: str, accept: str | None, status: int
) -> None:
    """The error and its remedy, with the allowed methods or the acceptable media types."""
    response = get(public, path, method, **({"accept": accept} if accept else {}))
    assert response.status_code == status
    assert response.json().keys() == {"error", "help"}
    assert response.headers.get("allow") == ("GET, HEAD" if status == 405 else None)
    if status == 406:
        assert JSON in response.json()["help"] or MARKDOWN in response.json()["help"]
        assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("path", "intended"),
    [
        ("/contract", "/contracts"),
        ("/contracts/", "/contracts"),
        ("/contracts/2.0/change-log", "/contracts/{version}/changelog"),
        ("/health/life", "/health/live"),
        ("/interaction-events", "/api/v1/interaction-events or /api/v2/interaction-events"),
        ("//api/v2/interaction_events/", "/api/v2/interaction-events"),
    ],
)
def test_the_help_for_an_unknown_path_names_the_page_or_operation(
    public: httpx.Client, path: str, intended: str
) -> None:
    """Of the service as a whole, whichever application refuses the request."""
    response = public.get(str(public.base_url).rstrip("/") + path)
    assert response.status_code == 404
    assert response.json()["help"].startswith(f"Did you mean {intended}? Check the path")


def test_the_changelog_lists_the_changes_of_each_version(newest: Service, public: httpx.Client) -> None:
    """Up to the requested version; the changelogs of other versions omit a row that cannot be read."""
    assert public.get("/contracts/1.1/changelog").text == changelog([OLDEST, newest.contract])
    assert public.get("/contracts/1.0/changelog").text == changelog([OLDEST])
    assert public.get("/contracts/2.0/changelog").text == changelog(list(CONTRACTS.values()))
    with oldest_as(newest, document="a: b"):
        assert public.get("/contracts/1.1/changelog").text == changelog([newest.contract])
        assert public.get("/contracts/1.0/changelog").status_code == 503


def test_a_draft_is_not_public(newest: Service, public: httpx.Client) -> None:
    """The list omits it, and its response is that of an unknown version."""
    with oldest_as(newest, status="draft"):
        assert list(listed(public)) == ["1.1", "2.0"]
        draft, nothing = public.get("/contracts/1.0"), public.get("/contracts/9.9")
        assert (draft.status_code, draft.json()) == (404, nothing.json())
        assert public.get("/contracts/1.0/card").status_code == 404


def test_the_list_names_the_fault_of_a_broken_row(newest: Service, public: httpx.Client) -> None:
    """The list names the fault, the pages of the row are 503, and those of other rows are served."""
    with oldest_as(newest, document="a: ["):
        entries = listed(public)
        assert (entries["1.0"]["digest"], entries["1.0"]["fault"]) == (
            None,
            "the document of this contract cannot be read",
        )
        for path in ("/contracts/1.0", "/contracts/1.0/card"):
            response = public.get(path)
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert "cannot be shown" in response.json()["error"]
        assert public.get("/contracts/1.1").status_code == 200
    assert public.get("/contracts/1.0").json() == served_copy(OLDEST, newest.url).document


def test_a_contract_published_as_json_is_also_sent_as_yaml(newest: Service, public: httpx.Client) -> None:
    """YAML holds the row's current content in another layout, and its tag is another one too."""
    etag = public.get("/contracts/1.0").headers["etag"]
    edited = {**OLDEST.document, "info": {**OLDEST.document["info"], "title": "Edited"}}
    with oldest_as(newest, document=json.dumps(edited)):
        response = get(public, "/contracts/1.0", accept=YAML)
        assert not response.text.startswith("{")
        copy = served_copy(Contract(json.dumps(edited), edited), newest.url).document
        assert yaml.safe_load(response.text) == copy
        assert get(public, "/contracts/1.0", if_none_match=etag).json() == copy
        with newest.database.begin() as connection:
            row = contracts.get(connection, "1.0")
        instants = {"published_at": row.published_at, "activated_at": row.activated_at}
        assert public.get("/contracts/1.0/card").text == card(Contract(row.document, edited), row.status, instants)


def test_without_a_database_the_pages_are_unavailable() -> None:
    """503 with Retry-After and the common error body."""
    pages = ErrorMiddleware(Router(contract_pages.routes(Publications())), failures={})

    async def ask() -> list[httpx.Response]:
        with closing(Database("postgresql://nobody@/none?host=/nowhere")) as unreachable:

            async def application(scope: Scope, receive: Receive, send: Send) -> None:
                scope["state"] = {SERVICE: SimpleNamespace(database=unreachable)}
                new_request_state(scope)
                await pages(scope, receive, send)

            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return [await client.get(path) for path in PAGES]

    for response in asyncio.run(ask()):
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["error"] == "the contracts cannot be read at the moment"
