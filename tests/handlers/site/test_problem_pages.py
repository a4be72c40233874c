"""The pages of problems over HTTP: the `type` of a problem is the URL of a page for people and for programs."""

import base64
import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.service import Service
from tests.tokens import asking

PAGES = ("/problems", "/problems/invalid_body")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def public(newest: Service) -> Iterator[httpx.Client]:
    """A client without credentials, of a service that tests share."""
    with httpx.Client(base_url=newest.url) as client:
        yield client


def test_the_type_of_a_problem_leads_to_its_page(newest: Service, public: httpx.Client) -> None:
    """Its JSON has the same title and status as the problem."""
    with asking(newest) as client:
        for path in ("/api/v2/usage", "/api/v2/nowhere"):
            problem = client.get(path).json()
            page = public.get(problem["type"], headers={"accept": "application/json"}).json()
            assert {name: problem[name] for name in ("type", "title", "status")}.items() <= page.items()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [("*/*", "text/html"), (BROWSER, "text/html"), ("application/json", "application/json")],
)
def test_a_page_is_sent_in_the_requested_media_type(
    public: httpx.Client, path: str, accept: str, media_type: str
) -> None:
    """HTML by default; a cache may store a copy and revalidates it."""
    response = public.get(path, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == media_type
    assert [response.headers[name] for name in ("cache-control", "vary")] == ["no-cache", "Accept"]
    conditional = {"accept": accept, "if-none-match": response.headers["etag"]}
    assert (public.get(path, headers=conditional).status_code, public.head(path).content) == (304, b"")


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_can_only_show_a_page(public: httpx.Client, path: str) -> None:
    """It may use the page's own style, and may not load, run, frame or send anything."""
    response = public.get(path)
    directives = dict(directive.split(" ", 1) for directive in response.headers["content-security-policy"].split("; "))
    (style,) = re.findall("<style>(.*)</style>", response.text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("GET", "/problems/none", "*/*", 404),
        ("GET", "/problems/", "*/*", 404),
        ("GET", "/problems/invalid_body/", "*/*", 404),
        ("GET", "/problems/%3Cscript%3E", "*/*", 404),
        ("POST", "/problems", "*/*", 405),
        ("GET", "/problems", "image/png", 406),
    ],
)
def test_errors_have_the_common_shape(public: httpx.Client, method: str, path: str, accept: str, status: int) -> None:
    """The error and its remedy, which do not repeat the path."""
    response = public.request(method, path, headers={"accept": accept})
    assert response.status_code == status
    assert response.json().keys() == {"error", "help"}
    assert "script" not in response.text
