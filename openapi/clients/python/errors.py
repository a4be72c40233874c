"""What a client raises: an error that the service describes, an answer that is not of the service, or none at all."""

from typing import Any

from openapi.clients.python.narrowed import as_list, as_object


class ClientError(Exception):
    """Everything that this package raises on purpose."""


class InvalidItem(ClientError, ValueError):
    """A value that cannot be sent; `pointer` names its place (RFC 6901)."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or 'the item'}: {reason}")
        self.pointer = pointer
        self.reason = reason


class OutboxError(ClientError):
    """The outbox cannot do what it was asked for; an item that was to be added is not kept."""


class OutboxFull(OutboxError):
    """The outbox has as many items or bytes as it may, or the disk is full; nothing is dropped to make room."""


class OutboxLocked(OutboxError):
    """Another program has locked the file for longer than `lock_timeout`."""


class UnexpectedAnswer(ClientError):
    """An answer that is not in the style of the service, such as a page of a proxy.

    `status` is 0 if no status was read, `text` has the first 500 bytes of the body, and `retry_after` is in seconds.
    """

    def __init__(self, status: int, text: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {text}".strip() if status else text)
        self.status = status
        self.text = text
        self.retry_after = retry_after


class Outage(UnexpectedAnswer):
    """No answer, a part of one, or one of a proxy without its service: the same request may succeed later."""


class ApiError(ClientError):
    """An error in the style of the service; each status has a subclass of its own.

    `code` identifies the problem, `detail` says what is wrong, `help` what to do about it, and `pointer` where in the
    body it is, each empty if the service does not say. `request_id` is for its operators. `retry_after` is in seconds.
    `results` has the result of each item, if the service validated the items of a batch. `body` is the whole answer.
    """

    def __init__(
        self, status: int, body: dict[str, Any], request_id: str = "", retry_after: float | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.request_id = request_id
        self.retry_after = retry_after
        first = as_object(next(iter(as_list(body.get("errors")) or ()), None)) or {}
        self.code = _text(body.get("code") or body.get("type")).rpartition("/")[2]
        self.detail = _text(body.get("detail") or body.get("error") or body.get("error_description"))
        self.help = _text(body.get("help"))
        self.pointer = _text(body.get("pointer") or first.get("pointer"))
        self.results = as_list(body.get("results"))
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The status, what is wrong, what to do, and the id of the request."""
        detail = f"{self.detail.removesuffix('.')}." if self.detail and self.help else self.detail
        words = [part for part in (detail, self.help) if part]
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {' '.join(words)}".strip() + request


def _text(value: object) -> str:
    """`value` as a text that any log and any file takes: without halves of surrogate pairs."""
    return str(value or "").encode("utf-8", "replace").decode()


class BadRequest(ApiError):
    """400: the request is not well formed."""


class Unauthorized(ApiError):
    """401: the credentials are missing, wrong or no longer valid."""


class Forbidden(ApiError):
    """403: the credentials do not allow it."""


class NotFound(ApiError):
    """404: there is nothing by this name for these credentials."""


class RequestTimeout(ApiError):
    """408: the body arrived too slowly."""


class Conflict(ApiError):
    """409: the same key was used for something else, or the state has changed."""


class Gone(ApiError):
    """410: this version of the API has ended."""


class ContentTooLarge(ApiError):
    """413: the body has too many bytes."""


class UnsupportedMediaType(ApiError):
    """415: the media type or the coding of the body is unknown."""


class UnprocessableContent(ApiError):
    """422: the content is not valid, or not registered."""


class TooManyRequests(ApiError):
    """429: wait for `retry_after`."""


class HeadersTooLarge(ApiError):
    """431: the header fields have too many bytes."""


class ServerError(ApiError):
    """500 and further: the service failed."""


class Unavailable(ServerError):
    """503: the service cannot answer now; wait for `retry_after`."""


KINDS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: RequestTimeout,
    409: Conflict,
    410: Gone,
    413: ContentTooLarge,
    415: UnsupportedMediaType,
    422: UnprocessableContent,
    429: TooManyRequests,
    431: HeadersTooLarge,
    503: Unavailable,
}
"""The class of each status; others are ServerError from 500, else ApiError."""
