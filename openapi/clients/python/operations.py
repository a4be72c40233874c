"""Operations, and the calls of them: one request, or more if the first ones fail in a way that may pass."""

import gzip
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote, urlencode
from uuid import uuid4

from openapi.clients.python.errors import ApiError, InvalidItem, Outage, TooManyRequests, Unavailable, UnexpectedAnswer
from openapi.clients.python.json_values import encoded
from openapi.clients.python.wire.answers import Answer, failure, value
from openapi.clients.python.wire.connections import Connections, Opened, Request
from openapi.clients.python.wire.credentials import Credentials
from openapi.clients.python.wire.pauses import pause

T = TypeVar("T")
JSON = "application/json"
COMPRESSED_BYTES = 1024
"""A smaller body is sent as it is."""
_SAFE_TO_REPEAT = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
_FIELD_VALUE = re.compile(r"[\t -~]*")


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """An operation of the contract; `path` is a template with the path of the server. T is what a success returns."""

    name: str
    method: str
    path: str
    takes_key: bool = False
    takes_gzip: bool = False
    accept: str = JSON
    media_type: str = JSON
    needs_credentials: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its values; None stands for an absent parameter. `coding` is the Content-Encoding of `body`."""

    operation: Operation[Any]
    path: Mapping[str, object] = field(default_factory=dict[str, object])
    query: Mapping[str, object] = field(default_factory=dict[str, object])
    headers: Mapping[str, object] = field(default_factory=dict[str, object])
    body: bytes | None = None
    coding: str = ""

    @property
    def target(self) -> str:
        """The path and the query of its request; InvalidItem if a value would lead to another path."""
        path = self.operation.path
        for name, given in self.path.items():
            path = path.replace("{" + name + "}", quote(_text(name, given), safe=""))
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise InvalidItem("path", "a dot or two are no value: a URL leaves them out")
        query = [(name, _text(name, each)) for name, given in self.query.items() for each in _each(given)]
        return f"{path}?{urlencode(query)}" if query else path

    @property
    def fields(self) -> dict[str, str]:
        """The header fields of its request, without those of credentials."""
        fields = {"Accept": self.operation.accept}
        if self.body is not None:
            fields["Content-Type"] = self.operation.media_type
        if self.coding:
            fields["Content-Encoding"] = self.coding
        for name, given in self.headers.items():
            if given is not None:
                fields[name] = _text(name, given)
                if not _FIELD_VALUE.fullmatch(fields[name]):
                    raise InvalidItem(name, "a header field has printable ASCII characters only")
        return fields


class Caller:
    """Makes the calls of a client."""

    def __init__(
        self, connections: Connections, credentials: Credentials, user_agent: str, patience: float, log: logging.Logger
    ) -> None:
        """`patience` is in seconds: when they are over, a call raises what went wrong last."""
        self._connections = connections
        self._credentials = credentials
        self._user_agent = user_agent
        self.patience = patience
        self.log = log
        self.contract_version = ""

    def call(self, operation: Operation[T], body: Any = None, **values: Mapping[str, object]) -> T:
        """The value of a success; raises an error otherwise. `values` are `path`, `query` and `headers`."""
        return self.call_encoded(operation, None if body is None else encoded(body), **values)

    def call_encoded(self, operation: Operation[T], body: bytes | None, **values: Mapping[str, object]) -> T:
        """Like `call`, with a body that is JSON already."""
        call = prepared(operation, body, values)
        result: T = self._repeated(call, lambda: value(self.exchange(call)))
        return result

    def open(self, operation: Operation[Any], **values: Mapping[str, object]) -> Opened:
        """The success of a call, to be read as a stream; raises an error otherwise."""
        call = prepared(operation, None, values)
        return self._repeated(call, lambda: self._open_success(call))

    def exchange(self, call: Call, seconds: float | None = None, meanwhile: Callable[[], None] | None = None) -> Answer:
        """The answer to one request, or to a second one with new credentials; Outage if there is none in time.

        Without `seconds` the timeout of the client counts. `meanwhile` is called while the service works.
        """
        return self._send(call, self._connections.timeout if seconds is None else seconds, meanwhile).answer()

    def _open_success(self, call: Call) -> Opened:
        opened = self._send(call, None, None)
        if not 200 <= opened.status < 300:
            raise failure(opened.answer())
        return opened

    def _send(self, call: Call, seconds: float | None, meanwhile: Callable[[], None] | None) -> Opened:
        """Send a request; if its credentials are refused and others can be had, send it once more."""
        target, fields = call.target, {**call.fields, "User-Agent": self._user_agent}
        for is_last in (False, True):
            proof = self._authenticated(call, target)
            request = Request(call.operation.method, target, {**fields, **proof}, call.body)
            opened = self._connections.opened(request, seconds, None if is_last else meanwhile)
            self.contract_version = opened.headers.get("contract-version", self.contract_version)
            if is_last or opened.status != 401 or not self._credentials.refused(proof):
                return opened
            opened.answer()
        raise AssertionError

    def _authenticated(self, call: Call, target: str) -> Mapping[str, str]:
        if not call.operation.needs_credentials:
            return {}
        url = self._connections.url(target.partition("?")[0])
        return self._credentials.headers(call.operation.method, url)

    def _repeated(self, call: Call, attempt: Callable[[], T]) -> T:
        """What `attempt` returns, called again while it fails in a way that may pass, until patience ends."""
        end = time.monotonic() + self.patience
        count = 0
        while True:
            try:
                return attempt()
            except (ApiError, UnexpectedAnswer) as error:
                count += 1
                wait = pause(count, error.retry_after)
                if not may_pass(error, call) or time.monotonic() + wait > end:
                    raise
                self.log.info("%s: %s; again in %.1f s", call.operation.name, error, wait)
            time.sleep(wait)


def prepared(operation: Operation[Any], body: bytes | None, values: Mapping[str, Mapping[str, object]]) -> Call:
    """A call; it has an Idempotency-Key of its own, for all of its requests, if the operation takes one."""
    headers = dict(values.get("headers", {}))
    if operation.takes_key and headers.get("Idempotency-Key") is None:
        headers["Idempotency-Key"] = str(uuid4())
    return coded(Call(operation, values.get("path", {}), values.get("query", {}), headers, body))


def coded(call: Call) -> Call:
    """A call with a compressed body, if its operation takes one and it is worth the time."""
    if call.body is None or not call.operation.takes_gzip or len(call.body) <= COMPRESSED_BYTES:
        return call
    return replace(call, body=gzip.compress(call.body, 1, mtime=0), coding="gzip")


def may_pass(error: ApiError | UnexpectedAnswer, call: Call) -> bool:
    """True if the same request may succeed later, and no harm comes from repeating it."""
    if isinstance(error, TooManyRequests):
        return True
    is_safe = call.operation.method in _SAFE_TO_REPEAT or "Idempotency-Key" in call.headers
    return is_safe and isinstance(error, Outage | Unavailable) and getattr(error, "results", None) is None


def _each(given: object) -> Sequence[object]:
    if given is None:
        return ()
    return cast("Sequence[object]", given) if isinstance(given, list | tuple) else (given,)


def _text(name: str, given: object) -> str:
    """A parameter as text."""
    text = ("false", "true")[given] if isinstance(given, bool) else str(given)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidItem(name, "the text has half of a surrogate pair")
    return text
