"""The pages of problems: the meaning and the remedy of each, as HTML for people and as JSON for programs.

They are generated from the table. A parameter of a template appears by its name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from string import Formatter
from typing import Any

from markupsafe import Markup, escape

from openapi.problems import TABLE, ProblemType
from openapi.rendering.html import Layout
from openapi.serving.error_styles import PROBLEMS, title
from openapi.standards.media_types import HTML, JSON
from openapi.standards.status_phrases import PHRASES

Page = Mapping[str, str]
"""The texts by media type; the first is the default."""

LAYOUT = Layout(
    Markup(
        "body{max-width:45rem;margin:2rem auto;padding:0 1rem}"
        "dt{font-weight:bold;margin-top:1rem}dd{margin:0}"
        "td,th{padding:.3rem .8rem .3rem 0}"
    )
)


def pages(public_url: str = "") -> Iterator[tuple[str, Page]]:
    """The path and the page of the list and of each problem; `public_url` is the clients' URL of the service."""
    descriptions = [_as_json(public_url, code) for code in TABLE]
    yield PROBLEMS, {HTML: _list(), JSON: json.dumps({"problems": descriptions})}
    for code, description in zip(TABLE, descriptions, strict=True):
        yield f"{PROBLEMS}/{code}", {HTML: _page(code, description), JSON: json.dumps(description)}


def _kind(code: str) -> ProblemType:
    kind = TABLE[code]
    return replace(kind, error=kind.about or kind.error, help=kind.about_help or kind.help)


def _as_json(public_url: str, code: str) -> dict[str, Any]:
    """A problem in the form of version 2 (RFC 9457), without the details of a request."""
    kind = _kind(code)
    return {
        "type": f"{public_url}{PROBLEMS}/{code}",
        "title": title(code),
        "status": kind.status,
        "detail": _text(kind.error),
        "help": _text(kind.help or ""),
    }


def _page(code: str, description: Mapping[str, Any]) -> str:
    kind = _kind(code)
    rows = {
        "Status": _status(kind),
        "What is wrong": _html(kind.error),
        "What to do": _html(kind.help or ""),
        "Type": Markup("<code>{}</code>").format(description["type"]),
    }
    content = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>\n").format(name, value) for name, value in rows.items())
    return LAYOUT.page(title(code), _DESCRIPTION.format(content, PROBLEMS))


def _list() -> str:
    rows = (
        _ROW.format(f"{PROBLEMS}/{code}", title(code), _status(_kind(code)), _html(_kind(code).error)) for code in TABLE
    )
    return LAYOUT.page("Problems", _TABLE.format(Markup("").join(rows)))


_DESCRIPTION = Markup('<dl>\n{}</dl>\n<p><a href="{}">All problems</a></p>')
_ROW = Markup('<tr><td><a href="{}">{}</a></td><td>{}</td><td>{}</td></tr>\n')
_TABLE = Markup("<table>\n<tr><th>Problem</th><th>Status</th><th>What is wrong</th></tr>\n{}</table>")


def _status(kind: ProblemType) -> str:
    return f"{kind.status} {PHRASES[kind.status]}"


def _html(template: str) -> Markup:
    return Markup("").join(
        escape(literal) + (Markup("<var>{}</var>").format(name) if name else "") for literal, name in _pieces(template)
    )


def _text(template: str) -> str:
    return "".join(literal + (f"<{name}>" if name else "") for literal, name in _pieces(template))


def _pieces(template: str) -> Iterator[tuple[str, str | None]]:
    """The literal pieces of a template, each with the name of the next parameter; None at the end."""
    return ((literal, name) for literal, name, _, _ in Formatter().parse(template))
