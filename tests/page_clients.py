"""Clients of the pages for people: a browser's requests, and those of programs."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote

import httpx
import pytest

from tests.service import Service

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
"""What a browser sends as Accept."""
SECONDS = 60
"""How long a page may take on a busy machine: the first one of a process is made with much else."""
PROGRAMS = (None, "*/*", "application/json", "application/json, */*", "application/yaml", "text/html;q=0.5, */*")
"""What programs send as Accept; None for no such field."""


@pytest.fixture
def browser(newest: Service) -> Iterator[httpx.Client]:
    """A client that prefers HTML, of a service that tests share."""
    with httpx.Client(base_url=newest.url, headers={"accept": BROWSER}, timeout=SECONDS) as client:
        yield client


def as_program(service: Service, path: str, accept: str | None, method: str = "GET") -> httpx.Response:
    """The response to a program."""
    with httpx.Client(base_url=service.url, timeout=SECONDS) as client:
        client.headers.pop("accept")
        return client.request(method, path, headers={} if accept is None else {"accept": accept})


class _Elements(HTMLParser):
    """The elements of a page that a stranger's text could have made, and what is wrong with them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        source = values.get("src", "/")
        if tag in FOREIGN or (tag == "script" and not source.startswith("/assets/")):
            self.faults.append(f"<{tag}>")
        self.faults += [f"<{tag} {name}>" for name in values if name.startswith("on") or name == "style"]
        target = values.get("href", "/")
        if not re.match(r"https?://|/(?!/)|#", target):
            self.faults.append(f"<{tag} href={target}>")
        self.ids += [values["id"]] if "id" in values else []
        self.anchors += [unquote(target[1:])] if target.startswith("#") else []


FOREIGN = {"img", "iframe", "object", "embed", "base", "style", "template", "math", "marquee", "video", "audio"}
"""Elements that no page has."""


def require_harmless(page: str) -> None:
    """Fail if a page has an element, an attribute or a link that it should not have, or a link within it is broken."""
    elements = _Elements()
    elements.feed(page)
    assert not elements.faults
    assert len(set(elements.ids)) == len(elements.ids), "an id stands twice"
    assert set(elements.anchors) <= set(elements.ids), "a link within the page leads nowhere"
