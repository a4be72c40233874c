"""What changed from one contract to another, for people: each change with its class and its proof, by operation."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publications
from handlers.pages.templates import HEADERS, html
from handlers.paths import CONTRACTS
from handlers.portal.known_contracts import Known, known, named
from openapi.diff.reports.report import Report
from openapi.diff.reports.text_report import LONGEST_COMMAND
from openapi.rendering.representations import Give, Representation, endpoint

PATH = f"{CONTRACTS}/{{old}}/diff/{{new}}"
_PROMISES = {
    "request": "The old contract accepts this, the new one refuses it:",
    "response": "The new contract allows this response, the old one does not:",
}


_FIRST = ("security-", "server-path-")
"""How the rules begin whose changes concern every client, so that people read them first."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change: `certainty` says how it is known, and `proof` is a message that shows it, empty without one.

    `command` sends the message by curl; it is empty without one, and for one that is too long for a page.
    """

    kind: str
    is_break: bool
    sentence: str
    why: str
    certainty: str
    pointer: str
    proof: str
    command: str
    promise: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The page; `groups` are the changes by the operations that they concern, in words.

    `incomplete` says where limits cut the comparison, and is empty if none did.
    """

    old: str
    new: str
    verdict: str
    is_break: bool
    counts: dict[str, int]
    groups: dict[str, list[Change]]
    title: str
    incomplete: str = ""
    tab: str = CONTRACTS


def routes(publications: Publications) -> list[Route]:
    """The page of each pair of versions."""
    return [Route(PATH, endpoint(_give(publications), HEADERS))]


def _give(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        contracts = await known(request, publications)
        return await publications.build(partial(_page, publications, request, contracts))

    return give


def _page(publications: Publications, request: Request, contracts: Known) -> Representation:
    old, new = (named(contracts.published, request.path_params[name]) for name in ("old", "new"))
    return html("comparison.html", comparison(publications.report(old, new)))


def comparison(report: Report) -> Comparison:
    """The page of a report."""
    told = report.as_json
    groups: dict[str, list[Change]] = {}
    for change in sorted(told["changes"], key=_place):
        groups.setdefault(_concerned(change["operations"]), []).append(_change(change))
    counts = Counter(change["class"] for change in told["changes"])
    verdict = (
        "A client of the old version can fail."
        if told["breaking"]
        else "Every request that the old version accepts is still accepted, and every response is one that it promised."
    )
    title = f"From {report.old} to {report.new}"
    return Comparison(report.old, report.new, verdict, told["breaking"], dict(counts), groups, title, report.incomplete)


def _place(told: dict[str, Any]) -> int:
    """The place of a change among those of a page: what concerns every client comes first."""
    return next((place for place, start in enumerate(_FIRST) if told["rule"].startswith(start)), len(_FIRST))


def _concerned(operations: list[str]) -> str:
    """The operations of a change, in words."""
    if not operations:
        return "The document"
    more = f" and {len(operations) - 1} more" if len(operations) > 1 else ""
    return operations[0] + more


def _change(told: dict[str, Any]) -> Change:
    proof = told["proof"]
    return Change(
        told["class"],
        told["breaking"],
        told["sentence"],
        told["why"],
        told["certainty"],
        f"{told['pointer'] or '/'} of the {told['document']} document",
        proof["short"] if proof else "",
        proof["curl"] if proof and proof["curl"] and len(proof["curl"]) <= LONGEST_COMMAND else "",
        _PROMISES.get(told["direction"] or "", "") if proof else "",
    )
