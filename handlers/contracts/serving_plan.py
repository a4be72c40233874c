"""Selects the served document of each major version: that of the active row, else the last served one."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp

from db.active_contracts import MajorVersionState, ServedDocument
from db.contracts import SERVING, ContractRow
from handlers import paths
from openapi.contract import Contract, ContractError
from openapi.serving.error_styles import ErrorStyle, style_of
from openapi.serving.live import Part, gone
from openapi.standards import deprecation

HELP = "correct that, or activate or roll back to another"
NOTHING = "no contract is active; see 'interaction-reporting contract list'"


@dataclass(frozen=True, slots=True)
class Served:
    """A contract, and the application that serves it."""

    contract: Contract
    application: ASGIApp


Serve = Callable[[ServedDocument], Served]
"""Builds the application of a document; raises ContractError if that cannot be served."""


@dataclass(frozen=True, slots=True)
class ServedMajor:
    """One major version: the application that serves it, if any, and the `document` whose end it announces.

    `fault` says why its row is not served. A retired version has only its old `path` and its `contract`.
    """

    number: int
    served: Served | None = None
    document: ServedDocument | None = None
    fault: str | None = None
    path: str | None = None
    contract: Contract | None = None


Style = Callable[[Contract], ErrorStyle]
"""From a contract to its error format."""


def read(row: ServedDocument | ContractRow) -> Contract:
    """The contract in `row`; ContractError, naming the row, if it holds none, or one of another version."""
    try:
        contract = Contract.read(row.document)
    except ContractError as error:
        raise ContractError(f"the row of contract {row.contract_version} cannot be read: {error}") from None
    if contract.version != row.contract_version:
        raise ContractError(
            f"the row of contract {row.contract_version} holds a document of version {contract.version}"
        )
    return contract


def require_free_path(contract: Contract) -> None:
    """ContractError if the path of `contract` belongs to the service itself."""
    if f"{contract.server_path}/".startswith(tuple(f"{path}/" for path in paths.RESERVED)):
        raise ContractError(
            f"contract {contract.version} cannot be served at {contract.server_path}: the service itself uses this path"
        )


def plan(states: Iterable[MajorVersionState], serve: Serve, previous: Sequence[ServedMajor] = ()) -> list[ServedMajor]:
    """The plan for each major version in `states`, lowest first; `previous` was served until now.

    If a row cannot be served, the last served document stays: the one in the database, else the one in `previous`. A
    version that moves to another path does not get the path of another major version.
    """
    known = {major.number: major for major in previous if major.served}
    by_number = {number: MajorVersionState(number, None, None, None) for number in known} | {
        state.major: state for state in states
    }
    moving = {number for number, state in by_number.items() if _moves(state, serve, known.get(number))}
    planned: dict[int, ServedMajor] = {}
    for number in sorted(by_number, key=lambda number: (number in moving, number)):
        taken_paths = [major.path for major in planned.values()]
        planned[number] = _planned(by_number[number], serve, known.get(number), taken_paths)
    return [planned[number] for number in sorted(planned)]


def parts(planned: Sequence[ServedMajor], style: Style = style_of) -> Iterator[Part]:
    """The applications of `planned` by path, with errors in the format of `style`.

    Each response of a served version names its contract in Contract-Version; a retired version has none.
    """
    for major in planned:
        if major.contract is None or major.path is None:
            continue
        successor = _successor(planned, major)
        link = deprecation.successor(successor or paths.CONTRACTS)
        if major.served:
            ends = deprecation.headers(major.document.deprecated_at, major.document.sunset_at) if major.document else []
            announced = [_version(major.contract), *ends, *(link if ends else [])]
            yield Part(major.path, major.served.application, announced, style(major.contract), major.contract.paths)
        else:
            retired = gone(str(major.number), successor or paths.LISTED_VERSION, link, style(major.contract))
            yield Part(major.path, retired, style=style(major.contract))


def warnings(planned: Sequence[ServedMajor]) -> list[str]:
    """The differences between the rows and the served contracts, a sentence each."""
    sentences = []
    for major in planned:
        if major.fault and major.served:
            contract = major.served.contract
            last = f"contract {contract.version} ({contract.digest[:12]})"
            sentences.append(f"{major.fault}; {last}, which was served last, is still served: {HELP}")
        elif major.fault:
            sentences.append(f"{major.fault}; nothing is served in its place: {HELP}")
    return sentences


def require_path(planned: Sequence[ServedMajor]) -> None:
    """ContractError unless one of `planned` is served, or answers that it is retired."""
    if all(major.path is None for major in planned):
        raise ContractError(" ".join(warnings(planned)) or NOTHING)


def _version(contract: Contract) -> tuple[bytes, bytes]:
    """The header that names the contract which governs a response."""
    return b"contract-version", contract.version.encode("ascii")


def _moves(state: MajorVersionState, serve: Serve, previous: ServedMajor | None) -> bool:
    """True if the row of a major version moves it to another path."""
    served, _ = _try_to_serve(_serving_row(state), serve, ())
    old_path = previous.path if previous else _path(state.last)
    return served is not None and served.contract.server_path != old_path


def _path(document: ServedDocument | None) -> str | None:
    """The path of the contract in `document`; None if it cannot be read."""
    try:
        return read(document).server_path if document else None
    except ContractError:
        return None


def _serving_row(state: MajorVersionState) -> ServedDocument | None:
    return state.row if state.status in SERVING else None


def _planned(
    state: MajorVersionState, serve: Serve, previous: ServedMajor | None, taken_paths: Collection[str | None]
) -> ServedMajor:
    if state.status == "retired":
        return _retired(state, taken_paths)
    row = _serving_row(state)
    served, fault = _try_to_serve(row, serve, taken_paths)
    if served:
        return _major(state.major, served, row)
    fault = fault or f"no contract of major version {state.major} is active"
    served, _ = _try_to_serve(state.last, serve, taken_paths)
    if served or previous is None or previous.path in taken_paths:
        return _major(state.major, served, row or state.last, fault)
    return _major(state.major, previous.served, row or previous.document, fault)


def _major(
    number: int, served: Served | None, document: ServedDocument | None, fault: str | None = None
) -> ServedMajor:
    if served is None:
        return ServedMajor(number, document=document, fault=fault)
    return ServedMajor(number, served, document, fault, served.contract.server_path, served.contract)


def _try_to_serve(
    document: ServedDocument | None, serve: Serve, taken_paths: Collection[str | None]
) -> tuple[Served | None, str | None]:
    """The application of `document`, unless its path is taken; else None and the fault, if there is a document."""
    if document is None:
        return None, None
    try:
        served = serve(document)
        if served.contract.server_path in taken_paths:
            raise ContractError(f"contract {document.contract_version} cannot be served: another contract has its path")
    except ContractError as error:
        return None, " ".join(str(error).split())[:500]
    return served, None


def _retired(state: MajorVersionState, taken_paths: Collection[str | None]) -> ServedMajor:
    """A retired major version, at its old path if a document has it."""
    fault = None
    for document in (state.row, state.last):
        try:
            if document and (contract := read(document)).server_path not in taken_paths:
                style_of(contract)
                return ServedMajor(state.major, path=contract.server_path, contract=contract)
        except ContractError as error:
            fault = fault or str(error)
    return ServedMajor(state.major, fault=fault)


def _successor(planned: Sequence[ServedMajor], major: ServedMajor) -> str | None:
    """The path of the lowest major version after `major` that is served."""
    later = [other.served.contract.server_path for other in planned if other.served and other.number > major.number]
    return (later[0] or "/") if later else None
