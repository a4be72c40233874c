"""The pages of problems: what each one means and what to do about it, as HTML for people and as JSON for programs.

They are made from the table. What a template leaves open is shown by its name.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from string import Formatter
from typing import Any

from openapi.problems import TABLE, ProblemType
from openapi.serving.error_styles import JSON, PROBLEMS, title

HTML = "text/html"
Page = Mapping[str, str]
"""By media type, what is given of it; the first is for those who do not say."""

ABOUT: Mapping[str, dict[str, Any]] = {
    "unauthorized": {"help": "Send 'Authorization: Bearer <hub-api-key>' with the key that the operator gave the hub."},
    "invalid_token": {"error": "the request carries no access token that is valid here; the answer says why"},
    "conflicts": {
        "error": "several parts of the body conflict with what is registered",
        "help": "Do for each of them what the answer says.",
    },
    "unsupported_content_coding": {"help": "Send the body without a content coding, or in one that the answer names."},
    "invalid_body": {
        "error": "the body does not satisfy its schema in the contract",
        "help": "Mend each of the faults that the answer names, and send the request again.",
    },
    "invalid_parameters": {
        "error": "a parameter of the path, the query or the header does not satisfy its schema in the contract",
        "help": "Mend each of the faults that the answer names, and send the request again.",
    },
    "unstorable_value": {
        "error": "a value satisfies its schema and cannot be stored as it is",
        "help": "Send another value in the field that the answer names.",
    },
}
"""What is said of problems whose templates say it only together with a request."""

_STYLE = (
    "body{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}"
    "dt{font-weight:bold;margin-top:1rem}dd{margin:0}"
    "td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0}"
)
_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title><style>{style}</style></head>\n'
    "<body><h1>{title}</h1>\n{content}\n</body></html>\n"
)


def policy() -> str:
    """The Content-Security-Policy (CSP Level 3) of a page: it has a style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def pages(public_url: str = "") -> Iterator[tuple[str, Page]]:
    """The path of the list and of each problem, and the page there; `public_url` is where clients reach the service."""
    everything = [_told(public_url, code) for code in TABLE]
    yield PROBLEMS, {HTML: _list(), JSON: json.dumps({"problems": everything})}
    for code, told in zip(TABLE, everything, strict=True):
        yield f"{PROBLEMS}/{code}", {HTML: _page(code, told), JSON: json.dumps(told)}


def _kind(code: str) -> ProblemType:
    return replace(TABLE[code], **ABOUT.get(code, {}))


def _told(public_url: str, code: str) -> dict[str, Any]:
    """A problem as an answer of version 2 tells of it (RFC 9457), but for what a request adds."""
    kind = _kind(code)
    return {
        "type": f"{public_url}{PROBLEMS}/{code}",
        "title": title(code),
        "status": kind.status,
        "detail": _text(kind.error),
        "help": _text(kind.help or ""),
    }


def _page(code: str, told: Mapping[str, Any]) -> str:
    kind = _kind(code)
    rows = {
        "Status": _status(kind),
        "What is wrong": _html(kind.error),
        "What to do": _html(kind.help or ""),
        "Type": f"<code>{html.escape(told['type'])}</code>",
    }
    content = "".join(f"<dt>{name}</dt><dd>{value}</dd>\n" for name, value in rows.items())
    return _document(title(code), f'<dl>\n{content}</dl>\n<p><a href="{PROBLEMS}">All problems</a></p>')


def _list() -> str:
    rows = "".join(
        f'<tr><td><a href="{PROBLEMS}/{code}">{title(code)}</a></td><td>{_status(_kind(code))}</td>'
        f"<td>{_html(_kind(code).error)}</td></tr>\n"
        for code in TABLE
    )
    return _document(
        "Problems", f"<table>\n<tr><th>Problem</th><th>Status</th><th>What is wrong</th></tr>\n{rows}</table>"
    )


def _document(heading: str, content: str) -> str:
    return _PAGE.format(title=html.escape(heading), style=_STYLE, content=content)


def _status(kind: ProblemType) -> str:
    return f"{kind.status} {HTTPStatus(kind.status).phrase}"


def _html(template: str) -> str:
    return "".join(
        html.escape(literal, quote=False) + (f"<var>{name}</var>" if name else "")
        for literal, name in _pieces(template)
    )


def _text(template: str) -> str:
    return "".join(literal + (f"<{name}>" if name else "") for literal, name in _pieces(template))


def _pieces(template: str) -> Iterator[tuple[str, str | None]]:
    """What stands in a template, and after each piece of it the name of what a request puts there, if it does."""
    return ((literal, name) for literal, name, _, _ in Formatter().parse(template))
