"""What a client can be told when something is wrong: one table, from code to status, words and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table. `error` and `help` are templates that the parameters of a Problem fill."""

    status: int
    error: str
    help: str | None = None
    headers: Headers = ()


CLOSE = (b"connection", b"close")
RETRY = (b"retry-after", b"1")

TABLE = {
    "malformed_request": Kind(
        400, "the request is not well-formed HTTP: {detail}", "Send a request as RFC 9112 describes it.", [CLOSE]
    ),
    "malformed_json": Kind(
        400,
        "the body cannot be read as JSON: {detail}",
        "Send one JSON object in UTF-8 (RFC 8259), without NaN or Infinity, each property name once in its object, "
        "nested at most 32 levels deep.",
    ),
    "unauthorized": Kind(401, "Authorization: Bearer required"),
    "not_found": Kind(
        404, "there is nothing at this path", "Check the path against the servers and paths of the contract."
    ),
    "method_not_allowed": Kind(
        405, "the method {method} is not allowed here", "Use one of the methods in the Allow header of this answer."
    ),
    "head_timeout": Kind(
        408,
        "the request head did not arrive within {seconds:g} seconds",
        "Send the whole request without pausing.",
        [CLOSE],
    ),
    "body_timeout": Kind(
        408,
        "the request body did not arrive within {seconds:g} seconds",
        "Send the whole request without pausing, then try again on a new connection.",
        [CLOSE],
    ),
    "content_too_large": Kind(
        413,
        "the body has {size} bytes; the limit is {limit} bytes",
        "Shorten the event, for instance by moving large values out of metadata, and send it again.",
    ),
    "unsupported_media_type": Kind(
        415, "Content-Type {found} is not accepted here", "Send the body with 'Content-Type: {expected}'."
    ),
    "unsupported_charset": Kind(415, "the charset {found} is not accepted here", "Send the body in UTF-8."),
    "unsupported_content_coding": Kind(
        415,
        "Content-Encoding {found} is not accepted here",
        "Send the body as it is, without a content coding.",
        [(b"accept-encoding", b"identity")],
    ),
    "invalid_body": Kind(422, "{errors}", "{remedies}"),
    "unstorable_value": Kind(422, "{field}: {detail}", "{remedy}"),
    "event_type_not_registered": Kind(
        422,
        "event_type '{name}' not registered",
        "Register this event type via the Type Registry admin UI or hub capability manifest before submitting.",
    ),
    "widget_not_registered": Kind(
        422,
        "widget_id '{id}' not registered",
        "Ask the operator to register this widget, or send the widget_id of one that is registered and active.",
    ),
    "head_too_large": Kind(
        431,
        "the request line and header fields exceed {bytes} bytes or {fields} fields",
        "Send fewer and shorter header fields.",
        [CLOSE],
    ),
    "internal_error": Kind(
        500,
        "the service failed to handle this request",
        "Quote the X-Request-Id of this answer to the operator of the service.",
    ),
    "unavailable": Kind(
        503,
        "the event cannot be stored at the moment",
        "Send the request again after the number of seconds in the Retry-After header.",
        [RETRY],
    ),
}


class Problem(Exception):
    """An answer other than success. `code` is a row of `TABLE`; `headers` come on top of the row's own.

    `reason` is for the log: it repeats nothing of what the client sent.
    """

    def __init__(self, code: str, headers: Headers = (), reason: str | None = None, **parameters: Any) -> None:
        kind = TABLE[code]
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.status = kind.status
        self.headers = [*kind.headers, *headers]
        self.error = kind.error.format(**parameters)
        self.help = kind.help and kind.help.format(**parameters)

    def body(self) -> dict[str, str]:
        """The answer as version 1 of the contract shapes it."""
        return {"error": self.error, "help": self.help} if self.help else {"error": self.error}


def joined(problems: Sequence[Problem]) -> Problem:
    """`problems`, all of one status, as one: with a single one, exactly that."""
    if len(problems) == 1:
        return problems[0]
    return Problem(
        "invalid_body",
        errors="; ".join(problem.error for problem in problems),
        remedies=" ".join(problem.help for problem in problems if problem.help),
    )
