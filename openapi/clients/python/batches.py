"""Many items in requests of limited size, from an iterator; and the results of the items."""

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openapi.clients.python.errors import ApiError, InvalidItem, UnexpectedAnswer
from openapi.clients.python.json_values import encoded
from openapi.clients.python.narrowed import as_list, as_object
from openapi.clients.python.operations import Caller, Operation
from openapi.clients.python.wire.pauses import pause

_STORED = {"created", "duplicate"}
Results = dict[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may have."""

    items: int = 1000
    bytes: int = 3 * 1024 * 1024
    bytes_of_item: int = 65_536


def results_of(body: Any, count: int) -> Results:
    """The results in the answer to a batch of `count` items, by their index; what is no result is left out."""
    results: Results = {}
    for each in as_list((as_object(body) or {}).get("results")) or ():
        result = as_object(each)
        if result and isinstance(result.get("status"), str):
            index = result.get("index")
            if type(index) is int and 0 <= index < count:  # True is an int, too
                results.setdefault(index, result)
    return results


def all_stored(body: Any, count: int) -> bool:
    """True if the answer to a batch of `count` items plainly says that each one is stored: most answers do."""
    results = as_list((as_object(body) or {}).get("results")) or ()
    return len(results) == count and all(
        type(result) is dict and result.get("index") == index and result.get("status") in _STORED
        for index, result in enumerate(results)
    )


def joined(bodies: Iterable[bytes]) -> bytes:
    """A JSON array of values that are JSON already."""
    return b"[" + b",".join(bodies) + b"]"


def each_result(caller: Caller, operation: Operation[Any], items: Iterable[Any], limits: Limits) -> Iterator[Any]:
    """The result of each item, by its index in `items`, in their order; an item is sent again if it may pass.

    An item that is too large for a request, or no JSON, is InvalidItem, after the results of those before it.
    """
    first = 0
    for bodies in _requests(items, limits):
        for index, result in sorted(_sent(caller, operation, bodies).items()):
            yield {**result, "index": first + index}
        first += len(bodies)


def _requests(items: Iterable[Any], limits: Limits) -> Iterator[list[bytes]]:
    """The bodies of the items of each request."""
    bodies: list[bytes] = []
    size, fault = 0, None
    for index, item in enumerate(items):
        try:
            body = encoded_item(item, limits)
        except InvalidItem as error:
            fault = InvalidItem(f"/{index}{error.pointer}", error.reason)
            break
        if bodies and (len(bodies) == limits.items or size + len(body) + 2 > limits.bytes):
            yield bodies
            bodies, size = [], 0
        bodies.append(body)
        size += len(body) + 1
    if bodies:
        yield bodies
    if fault:
        raise fault


def encoded_item(item: Any, limits: Limits) -> bytes:
    """An item as JSON; InvalidItem if it is not, or too large."""
    body = encoded(item)
    if len(body) > limits.bytes_of_item:
        raise InvalidItem("", f"it has {len(body)} bytes, and the service takes {limits.bytes_of_item}")
    return body


def _sent(caller: Caller, operation: Operation[Any], bodies: list[bytes]) -> Results:
    """The results of one request; items that may pass are sent again until patience ends."""
    waiting = list(range(len(bodies)))
    results: Results = {}
    end = time.monotonic() + caller.patience
    for attempt in itertools.count(1):
        answer, floor = _post(caller, operation, [bodies[index] for index in waiting])
        received = results_of(answer, len(waiting))
        if len(received) < len(waiting):
            raise UnexpectedAnswer(200, f"the answer has {len(received)} results for {len(waiting)} items")
        results.update({waiting[index]: result for index, result in received.items()})
        waiting = [index for index in waiting if results[index].get("retry") is True]
        wait = pause(attempt, floor)
        if not waiting or time.monotonic() + wait > end:
            break
        time.sleep(wait)
    return results


def _post(caller: Caller, operation: Operation[Any], bodies: list[bytes]) -> tuple[Any, float | None]:
    """The answer to a batch, and what it asks to wait; an error only if it has no results."""
    try:
        return caller.call_encoded(operation, joined(bodies)), None
    except ApiError as error:
        if error.results is None:
            raise
        return error.body, error.retry_after
