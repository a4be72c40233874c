"""Forms of pages, sent as a browser sends them: with the hidden fields that the page has."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx

from tests.page_admins import AdminBrowser

HUBS, FORMS = "/admin/hubs", "/admin/hub"
_SECRET = re.compile(r"ir[ks]_[\w-]{43}", re.ASCII)


def path_of(name: str) -> str:
    """The path of the page of a hub."""
    return f"{HUBS}/{quote(name, safe='')}"


def form_of(action: str, name: str) -> str:
    """The path of a form about a hub or a client."""
    return f"{FORMS}/{action}/{quote(name, safe='')}"


def hidden(page: httpx.Response, action: str) -> dict[str, str]:
    """The hidden fields of the form on a page that is posted to `action`, without the token."""
    found = re.search(
        rf'<form[^>]* method="post" action="{re.escape(action)}".*?</form>', unescape(page.text), re.DOTALL
    )
    assert found, f"{action} is on no form of the page"
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', found[0]))
    return {name: value for name, value in fields.items() if name != "token"}


def send(browser: AdminBrowser, action: str, fields: Mapping[str, Any] | None = None, page: str = "") -> httpx.Response:
    """The response to the form `action` of a page, by default of the page with the same path."""
    return browser.post(action, {**hidden(browser.get(page or action), action), **(fields or {})})


def secret_of(page: httpx.Response) -> str:
    """The one key or secret that a page shows."""
    (secret,) = set(_SECRET.findall(page.text))
    assert page.headers["cache-control"] == "no-store"
    return str(secret)
