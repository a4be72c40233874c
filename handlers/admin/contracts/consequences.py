"""What a step in the life of a contract does to whom, in sentences for the page before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.contract_rehearsals import ContractRehearsal
from db.contracts import ContractRow
from db.version_usage import Sender
from handlers.admin.contracts.standing import Standing
from openapi.contract import Contract
from openapi.standards import deprecation


@dataclass(frozen=True, slots=True)
class Before:
    """What a page of a change is made of: where the contract stands, its users, and its newest rehearsal that counts.

    `is_replacing` says that it would replace a contract that is served.
    """

    standing: Standing
    senders: Sequence[Sender]
    requests: int
    hubs: int
    rehearsal: ContractRehearsal | None
    is_replacing: bool


def of_activation(before: Before, _served: Sequence[Contract]) -> list[str]:
    """It governs its major version in place of another contract, or that is served from now on."""
    at = before.standing
    if at.governing is None:
        again = " again, in place of 410 Gone" if at.row.status == "retired" else ""
        return [f"Major version {at.row.major} is served{again}, by contract {at.version}, on every worker at once."]
    says = [
        (
            f"Contract {at.version} decides what major version {at.row.major} accepts and answers, in place of "
            f"{at.governing.contract_version}, on every worker within a second. No request is lost."
        ),
        f"{at.governing.contract_version} is superseded. Roll back to let it govern again.",
    ]
    if at.governing.status == "deprecated":
        says.append(f"It stays deprecated: hubs go on to get {_headers(at.governing)}.")
    return says


def of_deprecation(before: Before, served: Sequence[Contract]) -> list[str]:
    """Every answer announces the end."""
    at = before.standing
    if at.row.status == "deprecated":
        begin = f"Hubs get the new date in place of {_headers(at.row)}, in every answer."
    else:
        begin = f"Every answer of major version {at.row.major} has the headers Deprecation and Sunset from now on."
    return [
        begin,
        f"Its Link header leads to {_successor(before, served)}.",
        "Nothing is refused: the contract is served until it is retired, also after its sunset.",
    ]


def of_taking_back(before: Before, _served: Sequence[Contract]) -> list[str]:
    """The announcement of the end ends."""
    at = before.standing
    return [
        f"Answers of major version {at.row.major} lose their headers: {_headers(at.row)}.",
        "Hubs that read them may have begun to move, and are not told that there is no hurry any more.",
    ]


def of_retirement(before: Before, served: Sequence[Contract]) -> list[str]:
    """The major version ends."""
    at = before.standing
    return [
        (
            f"Every request to major version {at.row.major} gets 410 Gone from now on. "
            f"The answer names {_successor(before, served)}."
        ),
        (
            "What these hubs send is not stored, and not kept as rejected: their events are lost unless they send them "
            "again to another version."
        ),
        f"To undo it, activate contract {at.version} again.",
    ]


def of_rollback(before: Before, _served: Sequence[Contract]) -> list[str]:
    """The contract before it governs again."""
    at = before.standing
    if at.previous is None:
        return []
    return [
        (
            f"Contract {at.previous.contract_version} governs major version {at.row.major} again, in place of "
            f"{at.version}, on every worker within a second."
        ),
        f"What {at.version} accepts and {at.previous.contract_version} does not is refused again.",
        "A second roll back undoes this one.",
    ]


def of_withdrawal(before: Before, _served: Sequence[Contract]) -> list[str]:
    """A version binds no later one."""
    at = before.standing
    says = [
        f"Later versions need not keep what {at.version} promised: it counts as a mistake.",
        f"It cannot be activated any more, and no other document can have the number {at.version}.",
    ]
    if at.row.is_discardable:
        return [*says, "It never governed, so that no hub relies on it. Discard it instead to have its number again."]
    return [
        *says,
        "The pages for integrators say that it was withdrawn, and when; clients that were made for it go on.",
        (
            "What was stored under it stays. These rows are looked through before: if the contracts that govern "
            "could not answer with one of them, nothing is changed."
        ),
    ]


def of_discard(before: Before, _served: Sequence[Contract]) -> list[str]:
    """A draft is deleted."""
    at = before.standing
    return [
        f"Contract {at.version} and its document are deleted. The history keeps the author and the reason.",
        f"It never governed, so that no hub relies on it. The number {at.version} is free for another document.",
    ]


def _headers(row: ContractRow) -> str:
    """The headers that answers have because of the dates of a row."""
    fields = deprecation.headers(row.deprecated_at, row.sunset_at)
    return " and ".join(f"{name.decode().title()}: {value.decode()}" for name, value in fields)


def _successor(before: Before, served: Sequence[Contract]) -> str:
    """Where hubs are led to."""
    later = [contract for contract in served if contract.major > before.standing.row.major]
    return f"version {later[0].version} at {later[0].server_path or '/'}" if later else "the list of versions"
