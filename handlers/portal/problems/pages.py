"""The pages of problems, at the URLs in `type` of problems (RFC 9457 section 3.1.1): for people, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publications
from handlers.pages import templates
from handlers.pages.page_problems import PageProblem
from handlers.pages.parameters import text
from handlers.pages.templates import html
from handlers.paths import REGISTRY, WIDGETS, register_path, register_widget_path
from handlers.portal.known_contracts import Known, known
from handlers.portal.problems.examples import answer
from handlers.portal.problems.occurrences import Answering, Occurrences
from handlers.portal.problems.search import nearest, search
from handlers.portal.problems.table import STEPS, Remedy, Step, Where, remedies, step_of, where
from handlers.portal.served_versions import SERVED
from openapi.contract import Contract
from openapi.problems import TABLE, Problem
from openapi.rendering import representations
from openapi.rendering.problem_pages import Pieces, described, documents, heading, meaning, remedy
from openapi.rendering.representations import Give, Representation, acceptable, endpoint
from openapi.serving.error_styles import ERROR_OBJECTS, PROBLEMS, style_of
from openapi.standards.media_types import HTML, JSON
from openapi.standards.status_phrases import PHRASES

NAMES = {"event_type_not_registered": "event_type", "widget_not_registered": "widget_id"}
"""Parameters of pages, by code: what is not registered, for the link to where it is registered."""
HEADERS: Mapping[str, str] = {**representations.HEADERS, **templates.HEADERS}


@dataclass(frozen=True, slots=True)
class Entry:
    """A problem in the list."""

    code: str
    heading: str
    status: int
    phrase: str
    meaning: Pieces


@dataclass(frozen=True, slots=True)
class Group:
    """What the reader does next, and the problems that ask for it."""

    step: Step
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class ProblemList:
    """The list, or those of it that the query is about; `nearest` have codes like a query that finds nothing."""

    groups: list[Group]
    count: int
    query: str
    nearest: list[Entry]
    title: str = "Problems"
    tab: str = PROBLEMS


@dataclass(frozen=True, slots=True)
class Link:
    """A link to help: the operation that helps, if one does, and what it does."""

    path: str
    operation: str
    text: str


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """A problem. `examples` are answers by the versions that send them.

    The operations that may answer so are `named` if an example in a document shows the problem, else `others`.
    `is_beside` is True if no version of the API answers so. `is_stale` is True if the database cannot be reached: the
    contracts are from before, or unknown.
    """

    entry: Entry
    type: str
    remedy: Pieces
    links: list[Link]
    step: Step
    examples: dict[str, str]
    named: list[Answering]
    others: list[Answering]
    is_beside: bool
    is_stale: bool
    title: str
    tab: str = PROBLEMS


def routes(publications: Publications, public_url: str) -> list[Route]:
    """The list of the problems, and the page of each, for all clients; clients that accept any type get HTML."""
    return _routes(publications, public_url, f"{PROBLEMS}/{{code}}")


def pages(publications: Publications, public_url: str) -> list[Route]:
    """The same routes for browsers: an unknown code gets a page, too, even if it contains slashes."""
    return _routes(publications, public_url, f"{PROBLEMS}/{{code:path}}")


def _routes(publications: Publications, public_url: str, path: str) -> list[Route]:
    """The JSON is made once, because it never changes in a process."""
    by_path = {path: Representation.of(JSON, content.encode()) for path, content in documents(public_url)}
    one = _one(publications, public_url, by_path)
    return [Route(PROBLEMS, endpoint(_all(by_path), HEADERS)), Route(path, endpoint(one, HEADERS))]


def _all(by_path: Mapping[str, Representation]) -> Give:
    async def give(request: Request) -> Representation:
        if acceptable(request, [HTML, JSON]) == JSON:
            return by_path[PROBLEMS]
        return html("problems.html", _list(text(request, "q")))

    return give


def _list(query: str) -> ProblemList:
    codes = search(query)
    groups = [Group(step, [_entry(code) for code in step.codes.split() if code in codes]) for step in STEPS]
    near = [] if codes else nearest(query)
    return ProblemList([group for group in groups if group.entries], len(codes), query, [*map(_entry, near)])


def _one(publications: Publications, public_url: str, by_path: Mapping[str, Representation]) -> Give:
    occurrences = Occurrences()

    async def give(request: Request) -> Representation:
        code = request.path_params["code"]
        if code not in TABLE:
            raise _unknown(code)
        if acceptable(request, [HTML, JSON]) == JSON:
            return by_path[f"{PROBLEMS}/{code}"]
        contracts = await _known(request, publications)
        url = public_url or f"{request.url.scheme}://{request.url.netloc}"
        name = text(request, NAMES[code]) if code in NAMES else ""
        page = await publications.build(partial(_page, code, contracts, occurrences, public_url, url, name))
        return html("problem.html", page)

    return give


async def _known(request: Request, publications: Publications) -> Known:
    """The contracts, or none: a problem has a page also while no contract can be read."""
    try:
        return await known(request, publications)
    except Problem:
        return Known({}, is_stale=True)


def _unknown(code: str) -> Problem:
    links = {f"{PROBLEMS}/{near}": heading(near) for near in nearest(code)}
    advice = "Check the code: it is in the type of a problem, and in the result of an item."
    return PageProblem("not_found", f"There is no problem “{code[:100]}”", advice, links)


def _page(  # noqa: PLR0913, PLR0917 (what the page shows)
    code: str, contracts: Known, occurrences: Occurrences, public_url: str, url: str, name: str
) -> ProblemPage:
    served = [each.contract for each in contracts.published.values() if each.row.status in SERVED and each.contract]
    place = where(code)
    covered = [contract for contract in served if place.covers(contract)]
    operations = occurrences.of(code, covered, served)
    return ProblemPage(
        entry=_entry(code),
        type=described(code, url)["type"],
        remedy=remedy(code),
        links=[link for each in remedies(code) for link in _links(_filled_in(each, name), covered or served)],
        step=step_of(code),
        examples=_examples(code, _declaring(code, covered, occurrences, served), public_url, url),
        named=[operation for operation in operations if operation.is_named],
        others=[operation for operation in operations if not operation.is_named],
        is_beside=place is Where.BESIDE,
        is_stale=contracts.is_stale,
        title=heading(code),
    )


def _entry(code: str) -> Entry:
    status = TABLE[code].status
    return Entry(code, heading(code), status, PHRASES[status], _sentence(meaning(code)))


def _sentence(pieces: Pieces) -> Pieces:
    """`pieces` with a capital letter, unless they begin with a name of the contract or a parameter."""
    (literal, name), *rest = pieces
    word = literal.partition(" ")[0]
    return [(literal if "_" in word else literal[:1].upper() + literal[1:], name), *rest]


def _declaring(
    code: str, covered: list[Contract], occurrences: Occurrences, served: Sequence[Contract]
) -> list[Contract]:
    """Those of `covered` whose documents have the status of the problem; all of them if none has."""
    return [contract for contract in covered if occurrences.declare(code, contract, served)] or covered


def _examples(code: str, contracts: Sequence[Contract], public_url: str, url: str) -> dict[str, str]:
    """An answer in each format, by the versions that have it."""
    if where(code) is Where.BESIDE:
        return {"Answer": answer(code, ERROR_OBJECTS, url)}
    by_answer: dict[str, list[str]] = {}
    for contract in contracts:
        by_answer.setdefault(answer(code, style_of(contract, public_url), url), []).append(contract.version)
    return {f"Version {' and '.join(versions)}": text for text, versions in by_answer.items()}


def _filled_in(remedy: Remedy, name: str) -> Remedy:
    """`remedy` with a form that has the name of an event type or the id of a widget, if it leads to one."""
    if remedy.path == REGISTRY:
        return Remedy(remedy.text, register_path(name))
    return Remedy(remedy.text, register_widget_path(name)) if remedy.path == WIDGETS else remedy


def _links(remedy: Remedy, contracts: Sequence[Contract]) -> list[Link]:
    """The links for a remedy: one for each of `contracts` that has it, the newest first, or one for all."""
    if remedy.path and "{" not in remedy.path:
        return [Link(remedy.path, "", remedy.text)]
    links: list[Link] = []
    for contract in reversed(contracts):
        names = {"version": contract.version, "server": contract.server_path}
        operation = next((each for each in contract.operations if each.name == remedy.operation), None)
        if remedy.path:
            links.append(Link(remedy.path.format(**names), "", remedy.text.format(**names)))
        elif operation:
            shown = f"{operation.method.upper()} {contract.server_path}{operation.path}"
            links.append(Link(f"/contracts/{contract.version}#{operation.name}", shown, remedy.text))
    return links
