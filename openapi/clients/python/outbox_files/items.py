"""What an outbox holds."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from openapi.clients.python.batches import Limits
from openapi.clients.python.operations import Operation

_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of items: the operation that takes many of them, and the names of two of their fields."""

    name: str
    operation: Operation[Any]
    key_field: str
    time_field: str
    limits: Limits


class Row(NamedTuple):
    """An item that waits."""

    seq: int
    key: str
    body: bytes
    attempts: int
    added_at: float


class New(NamedTuple):
    """An item that is to be added; `is_own` is True if its key is the caller's."""

    kind: Kind
    key: str
    is_own: bool
    body: bytes
    added_at: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item was refused. `code` is `http_413` and so on where no answer gives a code."""

    status: int
    code: str
    error: str = ""
    help: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that the service refused, and the reason; times are seconds since 1970."""

    kind: str
    key: str
    item: Mapping[str, Any]
    reason: Reason
    added_at: float
    refused_at: float


@dataclass(frozen=True, slots=True)
class Counts:
    """`added` = `sent` + `refused` + `pending` + `expired` + `erased`; a replayed item is pending again.

    `oldest_age` is in seconds, None if nothing is pending. `last_error` says what went wrong with the last request,
    empty after a success. `clock_skew` is how many seconds this machine's clock is ahead of the service's.
    """

    added: int
    sent: int
    refused: int
    pending: int
    expired: int
    erased: int
    oldest_age: float | None
    last_error: str
    clock_skew: float | None


def new_key() -> str:
    """A UUID of version 4 (RFC 9562); uuid.uuid4 takes three times as long."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


def item_of(body: bytes) -> Mapping[str, Any]:
    """The item in a row."""
    item: Mapping[str, Any] = json.loads(body)
    return item
