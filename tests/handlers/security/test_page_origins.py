"""Pages in browsers: what they may send, and which responses they can read."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import Connection

from db import hub_origins, hubs
from tests.contract_client import unused
from tests.examples import EVENT
from tests.handlers.conftest import BASE, Hub
from tests.handlers.security.test_bound_tokens import bound, proof, send
from tests.service import Service
from tests.tokens import PATH, asking, bearer, client_of
from tests.waiting import wait_until
from tests.wire import Wire, head

ALLOW, EXPOSE = "access-control-allow-origin", "access-control-expose-headers"
ALLOWED_HEADERS = "Authorization, Content-Type, Content-Encoding, DPoP, Idempotency-Key, Prefer, X-Request-Id"
EXPOSED = (
    "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotent-Replayed, Preference-Applied, "
    "Contract-Version, WWW-Authenticate, Data-Epoch, Deprecation, Sunset, Link, Date"
)
ASKING = {"Access-Control-Request-Method": "POST"}
V1 = f"{BASE}/interaction-events"

_numbers = itertools.count()


@pytest.fixture
def page(newest: Service, new_hub: Callable[..., Hub]) -> Iterator["Page"]:
    """A page of an origin that a new hub has listed."""
    page = Page(new_hub(newest))
    page.change(partial(hub_origins.add, origin=page.origin))
    wait_until(lambda: page.preflight().status_code == 204)
    yield page
    page.change(hubs.disable)


class Page:
    """A page in a browser, and the hub for which it reports."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.service = hub.service
        self.origin = f"https://app{next(_numbers)}.example:8443"

    def change(self, changed: Callable[[Connection, str], object]) -> None:
        """Change the row of the hub."""
        with self.service.database.begin() as connection:
            changed(connection, self.hub.name)

    def preflight(self, path: str = PATH, origin: str | None = None, **headers: str) -> httpx.Response:
        """The response to a preflight, which has no credentials."""
        fields = {"Origin": origin or self.origin, **ASKING, **headers}
        return httpx.options(self.service.url + path, headers=fields, verify=unused())

    def token(self) -> str:
        """A token of a new client of the hub."""
        return client_of(self.service, self.hub.name).token()

    def post(self, token: str, origin: str | bytes | None = None) -> httpx.Response:
        """The response of version 2 to an event, checked against its contract."""
        with asking(self.service) as client:
            origins = {b"Origin": origin if isinstance(origin, bytes) else (origin or self.origin).encode()}
            authorization = {name.encode(): text.encode() for name, text in bearer(token).items()}
            return client.post(PATH, json=EVENT, headers=authorization | origins)


def readable(response: httpx.Response) -> str | None:
    """The origin whose pages can read `response`, after checking what belongs to it."""
    assert "access-control-allow-credentials" not in response.headers
    origins = response.headers.get_list(ALLOW)
    if not origins:
        assert EXPOSE not in response.headers
        return None
    (origin,) = origins
    assert response.headers.get_list(EXPOSE) == [EXPOSED]
    assert "Origin" in response.headers.get_list("vary")
    return origin


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (PATH, "GET, HEAD, POST"),
        (V1, "GET, HEAD, POST"),
        (f"{PATH}/batch", "POST"),
        (f"{BASE}/hub-capability-manifest", "GET, HEAD, PUT"),
        (f"{BASE}/rejected-submissions/5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "GET, HEAD"),
    ],
)
def test_a_preflight_is_answered_without_credentials(page: Page, path: str, methods: str) -> None:
    """For each path of the contract, with its methods, whatever method the page asks for."""
    for method in ("POST", "DELETE"):
        response = page.preflight(path, **{"Access-Control-Request-Method": method})
        assert (response.status_code, response.content, readable(response)) == (204, b"", page.origin)
        assert response.headers["access-control-allow-methods"] == methods
        assert response.headers["access-control-allow-headers"] == ALLOWED_HEADERS
        assert response.headers["access-control-max-age"] == "86400"
        assert response.headers["vary"] == "Origin"


def test_what_is_no_preflight_is_answered_as_without_pages(page: Page) -> None:
    """OPTIONS without Origin, without the method that is asked for, or at a path that is not in the contract."""
    url = page.service.url
    plain = httpx.options(url + PATH, headers=ASKING, verify=unused())
    assert (plain.status_code, readable(plain), plain.headers["allow"]) == (405, None, "GET, HEAD, POST")
    assert "vary" not in plain.headers
    without_method = httpx.options(url + PATH, headers={"Origin": page.origin}, verify=unused())
    assert (without_method.status_code, readable(without_method)) == (405, page.origin)
    assert page.preflight(f"{PATH}/nothing/here").status_code == 404
    assert [page.preflight(path).headers.get(ALLOW) for path in ("/health/live", "/contracts", "/oauth/token")] == [
        None,
        None,
        None,
    ]


def test_a_page_reports_with_a_token_of_its_hub(page: Page) -> None:
    """It can read the response, to an event that is stored and to one that is refused after authentication."""
    token = page.token()
    created = page.post(token)
    assert (created.status_code, readable(created)) == (201, page.origin)
    assert len(page.hub.rows()) == 1
    headers = bearer(token) | {"Origin": page.origin}
    with asking(page.service) as client:
        refused = client.post(PATH, json={}, headers=headers)
        listed = client.get(PATH, headers=headers)
        exported = client.get(f"{PATH}/export", params={"format": "csv"}, headers=headers)
    assert [response.status_code for response in (refused, listed, exported)] == [422, 200, 200]
    assert {readable(response) for response in (refused, listed, exported)} == {page.origin}


def test_a_bound_token_of_a_page_is_accepted_with_its_proof(page: Page) -> None:
    """DPoP is the same in a browser; a page of another origin gets the challenge in its scheme."""
    key = ECKey.generate_key("P-256")
    token = bound(client_of(page.service, page.hub.name, dpop_bound=True), key)
    for origin, status in ((page.origin, 201), ("https://other.example", 403)):
        response = send(page.service, token, Origin=origin, **proof(page.service, key, PATH, token))
        assert (response.status_code, readable(response)) == (status, origin if status == 201 else None)
    assert response.headers["www-authenticate"].startswith('DPoP realm="')


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_page_can_read_errors_before_authentication(page: Page, version: str) -> None:
    """A missing or wrong credential, and a path that does not exist: nothing has told its hub yet."""
    path = PATH if version == "2" else V1
    requests = (("POST", path, ""), ("POST", path, "Bearer irk_wrong"), ("POST", f"{path}/x/y", ""), ("PUT", path, ""))
    for (method, at, credential), status in zip(requests, (401, 401, 404, 405), strict=True):
        headers = {"Origin": page.origin, "Authorization": credential}
        response = httpx.request(method, page.service.url + at, headers=headers, verify=unused())
        assert (response.status_code, readable(response)) == (status, page.origin)
        assert readable(httpx.request(method, page.service.url + at, verify=unused())) is None


def test_a_token_of_another_hub_is_refused(page: Page, new_hub: Callable[..., Hub]) -> None:
    """Although a hub has listed the origin; nothing is stored, and the page cannot read why."""
    other = Page(new_hub(page.service))
    response = other.post(other.token(), page.origin)
    assert (response.status_code, readable(response)) == (403, None)
    problem = response.json()
    assert problem["type"].endswith("/problems/origin_not_listed")
    assert problem["detail"] == f"this hub has not listed the Origin of the request, '{page.origin}'"
    assert "interaction-reporting hub origins HUB add ORIGIN" in problem["help"]
    assert (
        'error="invalid_request", error_description="the hub of the token has not'
        in response.headers["www-authenticate"]
    )
    assert other.hub.rows() == page.hub.rows() == other.hub.rows("rejected_submissions") == []


def test_an_api_key_is_refused_with_an_origin(page: Page) -> None:
    """Its hub has listed the origin all the same: a key in a page is every visitor's key."""
    assert page.hub.event().status_code == 201
    for origin in (page.origin, "https://other.example", "null"):
        response = page.hub.client.post(V1, json=EVENT, headers={"Origin": origin})
        assert (response.status_code, response.json()) == (401, {"error": "Authorization: Bearer required"})
        assert (
            'error_description="an API key is not accepted with an Origin header: pages in browsers use access tokens"'
        ) in response.headers["www-authenticate"]
        assert readable(response) == (page.origin if origin == page.origin else None)
    assert len(page.hub.rows()) == 1


def test_a_page_of_the_service_itself_needs_no_list(page: Page) -> None:
    """With a key and with a token; nothing that only resembles its origin is taken for it."""
    url = page.service.url
    by_key, by_token = page.hub.client.post(V1, json=EVENT, headers={"Origin": url}), page.post(page.token(), url)
    assert [(response.status_code, readable(response)) for response in (by_key, by_token)] == [(201, None)] * 2
    others = (f"{url}/", f"{url}0", url.replace("http:", "https:"), url.upper(), f"{url}, {url}", "null")
    for origin in (*others, url.replace("127.0.0.1", "localhost")):
        assert page.hub.client.post(V1, json=EVENT, headers={"Origin": origin}).status_code == 401
        assert page.post(page.token(), origin).status_code == 403
    assert len(page.hub.rows()) == 2


HOSTILE = {
    "null": "null",
    "any": "*",
    "empty": "",
    "another scheme": "http://{host}:8443",
    "another port": "https://{host}:8444",
    "no port": "https://{host}",
    "upper case": "https://{upper}:8443",
    "a slash": "https://{host}:8443/",
    "a path": "https://{host}:8443/page",
    "a host before": "https://{host}:8443.evil.example",
    "a host after": "https://evil.example/{host}:8443",
    "a subdomain": "https://sub.{host}:8443",
    "a user": "https://evil@{host}:8443",
    "two": "https://{host}:8443, https://evil.example",
    "a list": "https://{host}:8443 https://{host}:8443",
    "not ASCII": "https://{host}:8443\u00e9",
    "long": "https://{host}:8443" + "0" * 10_000,
}


@pytest.mark.parametrize("form", HOSTILE.values(), ids=HOSTILE)
def test_another_origin_is_refused(page: Page, form: str) -> None:
    """Whatever it is like: no preflight, no event and no header that names it."""
    host = page.origin.removeprefix("https://").removesuffix(":8443")
    origin = form.format(host=host, upper=host.upper()).encode()
    preflight = httpx.options(
        page.service.url + PATH, headers={b"Origin": origin, b"Access-Control-Request-Method": b"POST"}, verify=unused()
    )
    assert (preflight.status_code, readable(preflight), preflight.headers.get("vary")) == (405, None, None)
    refused = page.post(page.token(), origin)
    assert (refused.status_code, readable(refused)) == (403, None)
    assert len(refused.content) < 1000
    assert page.hub.rows() == []


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Origin: {origin}", "Origin: {origin}"], 405),
        (["Origin: {origin}", "Origin: https://evil.example"], 405),
        (["Origin: {origin}\r\n X: y"], 400),
        (["Origin: {origin}\rX: y"], 400),
        (["Origin : {origin}"], 400),
        (["Origin: {origin}\x00"], 400),
        (["ORIGIN:   {origin}  "], 204),
    ],
    ids=["twice", "two", "folded", "a bare CR", "a space before the colon", "NUL", "other spaces"],
)
def test_the_header_is_read_as_http_says(page: Page, lines: list[str], status: int) -> None:
    """Of several fields none counts, a malformed one ends the request, and spaces around a value are no part of it."""
    fields = [line.format(origin=page.origin) for line in lines]
    method = "Access-Control-Request-Method: POST"
    with Wire(page.service) as wire:
        wire.send(head(f"OPTIONS {PATH} HTTP/1.1", "Host: localhost", method, "Connection: close", *fields))
        received = wire.rest()
    assert received.startswith(f"HTTP/1.1 {status} ".encode())
    assert (f"{ALLOW}: {page.origin}\r\n".encode() in received) is (status == 204)
    assert received.count(ALLOW.encode()) == (status == 204)


def test_a_change_reaches_running_services(page: Page) -> None:
    """A removed origin and a disabled hub, both for preflights and for tokens, until they are back."""
    token = page.token()
    for undo, redo in (
        (partial(hub_origins.remove, origin=page.origin), partial(hub_origins.add, origin=page.origin)),
        (hubs.disable, hubs.enable),
    ):
        page.change(undo)
        wait_until(lambda: page.preflight().status_code == 405)
        refused = page.post(token)
        assert (refused.status_code, readable(refused)) == (403 if undo is not hubs.disable else 401, None)
        page.change(redo)
        wait_until(lambda: page.preflight().status_code == 204)
        assert page.post(token).status_code == 201
