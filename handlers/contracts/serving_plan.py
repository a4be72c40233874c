"""From what governs each major version to what is served of it: its row, or else what was served last."""

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

HELP = "mend the row, or activate or roll back to another"
NOTHING = "no contract is active; see 'interaction-reporting contract list'"


@dataclass(frozen=True, slots=True)
class Served:
    """A contract, and the application that serves it."""

    contract: Contract
    application: ASGIApp


Serve = Callable[[ServedDocument], Served]
"""What serves a document; ContractError says why nothing can."""


@dataclass(frozen=True, slots=True)
class ServedMajor:
    """What becomes of one major version: what is served of it, if anything, and what clients are `told` of its end.

    `fault` says why its row is not what is served. Of a retired one there is nothing but the `path` that it had, and
    its `contract`.
    """

    number: int
    served: Served | None = None
    told: ServedDocument | None = None
    fault: str | None = None
    path: str | None = None
    contract: Contract | None = None


Style = Callable[[Contract], ErrorStyle]
"""How a contract tells of problems."""


def read(text: ServedDocument | ContractRow) -> Contract:
    """The contract in `text`; ContractError says which row it is that holds none, or that of another version."""
    try:
        contract = Contract.read(text.document)
    except ContractError as error:
        raise ContractError(f"the row of contract {text.contract_version} cannot be read: {error}") from None
    if contract.version != text.contract_version:
        raise ContractError(
            f"the row of contract {text.contract_version} holds a document of version {contract.version}"
        )
    return contract


def require_free_path(contract: Contract) -> None:
    """ContractError if `contract` would be served where the service itself is."""
    if f"{contract.server_path}/".startswith(tuple(f"{path}/" for path in paths.BESIDE)):
        raise ContractError(f"contract {contract.version} cannot be served at {contract.server_path}: it is taken")


def plan(found: Iterable[MajorVersionState], serve: Serve, before: Sequence[ServedMajor] = ()) -> list[ServedMajor]:
    """What is to be served where `found` governs, lowest version first; `before` was served until now.

    Where a row cannot be served there is what was served last, as the database says or else as it is. What wants
    another path than it had is not given that of another major version.
    """
    known = {major.number: major for major in before if major.served}
    governing = {number: MajorVersionState(number, None, None, None) for number in known} | {
        one.major: one for one in found
    }
    moving = {number for number, one in governing.items() if _moves(one, serve, known.get(number))}
    planned: dict[int, ServedMajor] = {}
    for number in sorted(governing, key=lambda number: (number in moving, number)):
        taken = [major.path for major in planned.values()]
        planned[number] = _planned(governing[number], serve, known.get(number), taken)
    return [planned[number] for number in sorted(planned)]


def parts(planned: Sequence[ServedMajor], style: Style = style_of) -> Iterator[Part]:
    """What serves the paths of `planned`, with problems as `style` says."""
    for major in planned:
        if major.contract is None or major.path is None:
            continue
        successor = _successor(planned, major)
        link = deprecation.successor(successor or paths.CONTRACTS)
        if major.served:
            ends = deprecation.headers(major.told.deprecated_at, major.told.sunset_at) if major.told else []
            announced = [*ends, *link] if ends else []
            yield Part(major.path, major.served.application, announced, style(major.contract))
        else:
            told = successor or paths.LISTED_VERSION
            retired = gone(str(major.number), told, link, style(major.contract))
            yield Part(major.path, retired, style=style(major.contract))


def warnings(planned: Sequence[ServedMajor]) -> list[str]:
    """Where something else is served than the rows say, a sentence each."""
    found = []
    for major in planned:
        if major.fault and major.served:
            contract = major.served.contract
            last = f"contract {contract.version} ({contract.digest[:12]})"
            found.append(f"{major.fault}; {last} goes on, as served last: {HELP}")
        elif major.fault:
            found.append(f"{major.fault}; nothing is served in its place: {HELP}")
    return found


def require_path(planned: Sequence[ServedMajor]) -> None:
    """ContractError unless one of `planned` is served, or is told to be retired."""
    if all(major.path is None for major in planned):
        raise ContractError(" ".join(warnings(planned)) or NOTHING)


def _moves(one: MajorVersionState, serve: Serve, before: ServedMajor | None) -> bool:
    """Whether the row of a major version is to be served at another path than it was until now."""
    wanted, _ = _attempted(_serving_row(one), serve, ())
    had = before.path if before else _path(one.last)
    return wanted is not None and wanted.contract.server_path != had


def _path(text: ServedDocument | None) -> str | None:
    """Where a contract was served, if that can be read."""
    try:
        return read(text).server_path if text else None
    except ContractError:
        return None


def _serving_row(one: MajorVersionState) -> ServedDocument | None:
    return one.row if one.status in SERVING else None


def _planned(
    one: MajorVersionState, serve: Serve, before: ServedMajor | None, taken: Collection[str | None]
) -> ServedMajor:
    if one.status == "retired":
        return _retired(one, taken)
    row = _serving_row(one)
    served, fault = _attempted(row, serve, taken)
    if served:
        return _major(one.major, served, row)
    fault = fault or f"no contract of major version {one.major} is active"
    served, _ = _attempted(one.last, serve, taken)
    if served or before is None or before.path in taken:
        return _major(one.major, served, row or one.last, fault)
    return _major(one.major, before.served, row or before.told, fault)


def _major(number: int, served: Served | None, told: ServedDocument | None, fault: str | None = None) -> ServedMajor:
    if served is None:
        return ServedMajor(number, told=told, fault=fault)
    return ServedMajor(number, served, told, fault, served.contract.server_path, served.contract)


def _attempted(
    text: ServedDocument | None, serve: Serve, taken: Collection[str | None]
) -> tuple[Served | None, str | None]:
    """What serves `text` below a path that is not `taken`, or why nothing does."""
    if text is None:
        return None, None
    try:
        served = serve(text)
        if served.contract.server_path in taken:
            raise ContractError(f"contract {text.contract_version} cannot be served: another one has its path")
    except ContractError as error:
        return None, " ".join(str(error).split())[:500]
    return served, None


def _retired(one: MajorVersionState, taken: Collection[str | None]) -> ServedMajor:
    """A major version that is served no more, if it can be told where it was served."""
    fault = None
    for text in (one.row, one.last):
        try:
            if text and (contract := read(text)).server_path not in taken:
                style_of(contract)
                return ServedMajor(one.major, path=contract.server_path, contract=contract)
        except ContractError as error:
            fault = fault or str(error)
    return ServedMajor(one.major, fault=fault)


def _successor(planned: Sequence[ServedMajor], major: ServedMajor) -> str | None:
    """The path of the lowest major version after `major` that is served."""
    later = [one.served.contract.server_path for one in planned if one.served and one.number > major.number]
    return (later[0] or "/") if later else None
