"""The error format of an API version, as its contract defines it.

Versions differ only here and in their documents: handlers and the layers around them do not depend on the format.
"""

from typing import Any, Protocol

from openapi.contract import Contract, ContractError
from openapi.problems import Problem
from openapi.standards.media_types import JSON, PROBLEM_JSON

PROBLEMS = "/problems"
"""The path of the problem pages; the code of a problem follows."""

Members = dict[str, Any]


class ErrorStyle(Protocol):
    """The members that report a problem: alone, in the result of an item, and next to the results of a batch."""

    media_type: str

    def body(self, problem: Problem) -> Members:
        """The body of a response."""

    def of_item(self, problem: Problem) -> Members:
        """Members added to the index and status of a rejected item."""

    def of_stream(self, problem: Problem) -> Members:
        """Members added to the totals in the last line of a response when `problem` ended a stream early."""

    def of_batch(self, problem: Problem) -> Members:
        """Members added to a batch response when some items were not stored."""


class ErrorObjects:
    """`error` says what is wrong, `help` what to do: the style of version 1."""

    media_type = JSON

    def body(self, problem: Problem) -> Members:
        """`error` and `help`."""
        return dict(problem.body())

    def of_item(self, problem: Problem) -> Members:
        """`error` and `help`, with the `code` and the first `pointer`."""
        members = {"code": problem.code, "error": problem.error, "help": problem.help or ""}
        return members if problem.pointer is None else {**members, "pointer": problem.pointer}

    def of_stream(self, problem: Problem) -> Members:
        """As `body`."""
        return self.body(problem)

    def of_batch(self, problem: Problem) -> Members:  # noqa: ARG002 (the results report it)
        """Nothing: the results report the problems."""
        return {}


class ProblemDetails:
    """Problem details (RFC 9457) with page URLs below `public_url` as types: the style of version 2."""

    media_type = PROBLEM_JSON

    def __init__(self, public_url: str = "") -> None:
        self._pages = f"{public_url}{PROBLEMS}/"

    def body(self, problem: Problem) -> Members:
        """The members of section 3.1, and the extensions `help` and `errors`: the faults of a body, with pointers."""
        members: Members = {
            "type": self._pages + problem.code,
            "title": title(problem.code),
            "status": problem.status,
            "detail": problem.error,
        }
        if problem.help:
            members["help"] = problem.help
        if problem.faults:
            members["errors"] = [{"pointer": fault.pointer, "detail": fault.error} for fault in problem.faults]
        return members

    def of_item(self, problem: Problem) -> Members:
        """The whole problem details object, as `problem`."""
        return {"problem": self.body(problem)}

    def of_stream(self, problem: Problem) -> Members:
        """As `of_item`."""
        return self.of_item(problem)

    def of_batch(self, problem: Problem) -> Members:
        """As `body`: the results are extension members."""
        return self.body(problem)


ERROR_OBJECTS = ErrorObjects()
"""Also for paths that belong to no version."""


def title(code: str) -> str:
    """The short title of a problem, the same in every occurrence (RFC 9457 section 3.1.3)."""
    return code.replace("_", " ").capitalize().replace(" json", " JSON")


def style_of(contract: Contract, public_url: str = "") -> ErrorStyle:
    """The error format of `contract`; ContractError if it has more than one."""
    media_types = {
        media_type.lower()
        for operation in contract.operations
        for status, response in contract.at((*operation.pointer, "responses")).items()
        if status[:1] in "45"
        for media_type in contract.resolve(response).get("content", {})
    }
    if not {JSON, PROBLEM_JSON} <= media_types:
        return ProblemDetails(public_url) if PROBLEM_JSON in media_types else ERROR_OBJECTS
    raise ContractError(f"its errors are partly {JSON} and partly {PROBLEM_JSON}")
