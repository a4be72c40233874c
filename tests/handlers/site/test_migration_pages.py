"""The migration page: only for operators, with current counts, and harmless."""

import asyncio
import base64
import hmac
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import httpx
import pytest
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from db import hubs
from db.engine import Database
from db.version_usage import VersionUsage
from handlers.security.failed_attempts import FailedAttempts
from handlers.site import migration_pages
from handlers.site.service_state import SERVICE
from openapi.serving.dispatch import ErrorMiddleware
from openapi.serving.rate_limits import RateLimits
from tests.handlers.conftest import Hub
from tests.postgresql import fresh_database
from tests.scopes import new_request_state
from tests.service import Service, running
from tests.tokens import from_afar

KEY = "a key of 24 charactèrs 🔑"
BEARER_KEY = "0123456789abcdef"
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def operated(embedded_url: str, template: str) -> Iterator[Service]:
    """A service with an operator key."""
    with fresh_database(embedded_url, "operated", template) as url, running(url, IR_OPERATOR_KEY=KEY) as started:
        yield started


def get(service: Service, query: str = "", key: str = KEY, **headers: str) -> httpx.Response:
    """The response to a request with `key`."""
    credentials = base64.b64encode(f"anybody:{key}".encode()).decode()
    sent = from_afar() | {"Authorization": f"Basic {credentials}"} | headers
    return httpx.get(f"{service.url}/migration{query}", headers=sent)


def test_the_page_has_the_current_counts(operated: Service, new_hub: Callable[[Service], Hub]) -> None:
    """The same on the page and in JSON, without waiting until the counts are written."""
    hub = new_hub(operated)
    with operated.database.begin() as connection:
        hubs.create(connection, "<script>alert(1)</script>")
    assert hub.event().status_code == 201
    migration = get(operated, **JSON).json()
    (entry,) = [entry for entry in migration["hubs"] if entry["hub"] == hub.name]
    assert (entry["would_break"], entry["versions"][0]["total"], entry["versions"][0]["requests"][-1]) == (True, 1, 1)
    assert len(migration["days"]) == 14
    page = get(operated, "?days=2")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<bdi>{hub.name}</bdi><td><strong>would break: uses version 1 only" in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script" not in page.text


def test_the_page_loads_and_runs_nothing(operated: Service) -> None:
    """Its policy admits only its own style, and no cache may store it or its errors."""
    page = get(operated)
    (style,) = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    for answer in (page, get(operated, **JSON), get(operated, key="x"), get(operated, "?days=0")):
        policy = answer.headers["content-security-policy"].split("; ")
        assert policy[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
        assert policy[2:] == ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic",
        "Basic !",
        "Basic Og==x",
        "Basic " + base64.b64encode(KEY.encode()).decode(),  # no user, and so no colon
        "Basic " + base64.b64encode(f":{KEY[:-1]}".encode()).decode(),
        "Basic " + base64.b64encode(f":{KEY}x".encode()).decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + "A" * 4100,
        "Bearer " + BEARER_KEY,
        "DPoP " + BEARER_KEY,
        "Digest x",
    ],
)
def test_without_the_key_the_page_is_refused(operated: Service, authorization: str | None) -> None:
    """401 with the authentication scheme, and no data of hubs."""
    credentials = {"Authorization": authorization} if authorization else {}
    answer = httpx.get(f"{operated.url}/migration", headers=from_afar() | credentials)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="interaction-reporting operators", charset="UTF-8"'
    assert answer.json() == {
        "error": "only operators of the service may use this",
        "help": "Send the operator's key as the password of HTTP Basic authentication, or as a bearer token.",
    }


def test_the_key_of_a_hub_is_refused(operated: Service) -> None:
    """Two credentials are refused too."""
    assert httpx.get(f"{operated.url}/migration", headers=operated.authorization).status_code == 401
    twice = [("Authorization", f"Basic {base64.b64encode(f':{KEY}'.encode()).decode()}")] * 2
    assert httpx.get(f"{operated.url}/migration", headers=twice).status_code == 401


def test_guessing_the_key_is_stopped(operated: Service) -> None:
    """After ten wrong keys from one address even the right one waits: a person may have chosen it.

    A request without a key is no guess, and other addresses are not affected.
    """
    here = from_afar()
    for _ in range(20):
        assert httpx.get(f"{operated.url}/migration", headers=here).status_code == 401
    assert [get(operated, key=f"guess {number}", **here).status_code for number in range(10)] == [401] * 10
    answer = get(operated, **here)
    assert answer.status_code == 429
    assert answer.json()["error"] == "too many wrong keys came from this address"
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert get(operated).status_code == 200


@pytest.mark.parametrize("client_id", ["/migration", "operator", "client operator"])
def test_failed_attempts_of_a_client_do_not_stop_an_operator(operated: Service, client_id: str) -> None:
    """Whatever name the client takes."""
    here = from_afar()
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "irs_wrong"}
    statuses = [httpx.post(f"{operated.url}/oauth/token", data=form, headers=here).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert get(operated, **here).status_code == 200


def test_keys_are_compared_in_constant_time(operated: Service) -> None:
    """Digests of one length are compared, by a comparison that does not stop early."""
    with mock.patch.object(hmac, "compare_digest", wraps=hmac.compare_digest) as compared:
        assert [get(operated, key=key).status_code for key in ("x", KEY)] == [401, 200]
    assert [call.args[1] for call in compared.call_args_list] == [sha256(KEY.encode()).digest()] * 2
    assert [call.args[0] for call in compared.call_args_list] == [sha256(x.encode()).digest() for x in ("x", KEY)]


@pytest.mark.parametrize(
    "query", ["?days=0", "?days=367", "?days=x", "?days=", "?days=1&days=2", "?days=-1", "?days=٣"]
)
def test_invalid_days_are_refused(operated: Service, query: str) -> None:
    """The parameter is one number from 1 to 366."""
    answer = get(operated, query)
    assert answer.status_code == 422
    assert answer.json()["error"] == "days is not one number from 1 to 366"


def test_unsupported_requests_are_refused(operated: Service) -> None:
    """Another media type, another method, and a path below."""
    assert get(operated, Accept="image/png").status_code == 406
    posted = httpx.post(f"{operated.url}/migration")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert get(operated, "/x").status_code == 404


def test_no_log_contains_the_key(operated: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Nor a wrong password."""
    caplog.set_level("DEBUG")
    get(operated)
    get(operated, key="a wrong password")
    encoded = [base64.b64encode(f"anybody:{text}".encode()).decode() for text in (KEY, "a wrong password")]
    assert not [word for word in (KEY, "a wrong password", *encoded) if word in caplog.text + str(caplog.records)]


def test_the_key_is_accepted_as_a_bearer_token(tmp_path: Path) -> None:
    """For programs; without a database the response is a 503 with the common error body."""
    pages = ErrorMiddleware(Router(migration_pages.routes(BEARER_KEY)), failures={})

    async def ask() -> list[httpx.Response]:
        RateLimits.create(path := tmp_path / "limits")
        with closing(Database("postgresql://nobody@/none?host=/nowhere")) as unreachable, RateLimits(path) as limits:

            async def application(scope: Scope, receive: Receive, send: Send) -> None:
                scope["state"] = {
                    SERVICE: SimpleNamespace(
                        database=unreachable,
                        version_usage=VersionUsage(unreachable),
                        failed_attempts=FailedAttempts(limits),
                    )
                }
                new_request_state(scope)
                await pages(scope, receive, send)

            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                authorizations = (f"Bearer {BEARER_KEY}", f"Bearer {BEARER_KEY}x", f"DPoP {BEARER_KEY}")
                return [await client.get("/migration", headers={"Authorization": text}) for text in authorizations]

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [503, 401, 401]
    assert answers[0].headers["retry-after"] == "1"
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[0].json()["error"] == "the record of the versions that hubs use cannot be read at the moment"


def test_without_a_key_in_the_settings_there_is_no_page(newest: Service) -> None:
    """The response is that of an unknown path, whatever the credentials."""
    for key in ("", KEY):
        answer = get(newest, key=key)
        assert (answer.status_code, answer.json()["error"]) == (404, "there is nothing at this path")
        assert "www-authenticate" not in answer.headers
