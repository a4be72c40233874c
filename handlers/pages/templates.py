"""Pages in HTML: a handler gives a dataclass to a template, and the template shows it."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from handlers.pages import assets
from handlers.paths import EVENT_TYPES, HUB
from openapi.rendering.representations import Representation
from openapi.standards import date_times
from openapi.standards.media_types import HTML

TABS = {
    "/contracts": "Contracts",
    EVENT_TYPES: "Event types",
    "/problems": "Problems",
    "/clients": "Clients",
    "/status": "Status",
    HUB: "Your hub",
}
"""The pages that every page of the portal links to."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of every page (CSP Level 3); the page that tries requests adds pictures in styles."""
_SHORT = 80
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
HEADERS: Mapping[str, str] = {
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "vary": "Accept",
    "x-content-type-options": "nosniff",
}
"""The fields of every page."""
PRIVATE: Mapping[str, str] = {**HEADERS, "cache-control": "no-store", "vary": "Accept, Cookie"}
"""Those of a page for someone who is signed in."""


class Page(Protocol):
    """What every template shows."""

    @property
    def title(self) -> str:
        """The heading, which is also in the title of the window."""

    @property
    def tab(self) -> str:
        """The path of the tab that the page belongs to; empty if it is none."""


class Frame(Protocol):
    """What is around the pages of someone who is signed in: `base.html` and the page of a problem show it."""

    @property
    def tabs(self) -> Mapping[str, str]:
        """The words of its tabs, by path."""

    @property
    def template(self) -> str:
        """The name of its template."""


def html(template: str, page: Page) -> Representation:
    """A page, made by the template with that name."""
    return Representation.of(HTML, rendered(template, page))


def rendered(template: str, page: Page, frame: Frame | None = None) -> bytes:
    """The bytes of a page, without what no HTML may have: control characters, and halves of surrogate pairs.

    `frame` is what is around a page for someone who is signed in.
    """
    text = _ENVIRONMENT.get_template(template).render(page=page, frame=frame)
    return _visible(text).encode("utf-8", "replace")


def _id(text: str) -> str:
    """`text` as the value of an `id`, for texts of ours: words in ASCII."""
    return "-".join(text.lower().split())


def _segment(text: str) -> str:
    """`text` as a segment of a path."""
    return quote(text, safe="", errors="replace")


def _fragment(text: str) -> str:
    """The fragment that leads to the element whose `id` a template has made of `text`."""
    return _segment(_visible(text))


def _visible(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _json(value: object) -> str:
    """A value as JSON, in one line if it is short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else json.dumps(value, ensure_ascii=False, indent=2)


def _thousands(number: int) -> str:
    """A number with a comma between groups of three digits."""
    return f"{number:,}"


def _milliseconds(milliseconds: float | None) -> str:
    """A duration that requests took at most; a dash without one, and the greatest bound if that is not enough."""
    if milliseconds is None:
        return "\N{EN DASH}"
    return "longer" if milliseconds == math.inf else f"{milliseconds:g} ms"


def _instant(instant: datetime) -> str:
    return date_times.render(instant)


def _environment() -> Environment:
    loader = PackageLoader("handlers", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"asset": assets.url, "portal_tabs": TABS}
    environment.filters |= {
        "fragment": _fragment,
        "id": _id,
        "instant": _instant,
        "json": _json,
        "milliseconds": _milliseconds,
        "segment": _segment,
        "thousands": _thousands,
    }
    return environment


_ENVIRONMENT = _environment()
