"""Viewers of the live tail: clients that read Server-Sent Events as browsers do."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

STREAM = "/admin/live/stream"


@dataclass
class Message:
    """One message; `id` is empty if it has none."""

    name: str = "message"
    id: str = ""
    data: Any = None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def position(self) -> int:
        """The position of the row."""
        return int(self.data["position"])


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """The messages in `lines`, also those without data, which a browser keeps to itself."""
    message = Message()
    for line in lines:
        if not line:
            yield message
            message = Message()
            continue
        name, _, value = line.partition(": ")
        if name == "event":
            message.name = value
        elif name == "id":
            message.id = value
        elif name == "data":
            message.data = json.loads(value)
        else:
            message.fields[name] = value


@contextmanager
def watching(url: str, query: str = "", session: str = "of the tests", **headers: str) -> Iterator[Iterator[Message]]:
    """The messages of a stream, until the end of the block."""
    fields = {"X-Session": session, **{name.replace("_", "-"): value for name, value in headers.items()}}
    with (
        httpx.Client(timeout=10) as client,
        client.stream("GET", f"{url}{STREAM}{query}", headers=fields) as response,
    ):
        response.raise_for_status()
        yield messages(response.iter_lines())


def until(stream: Iterator[Message], name: str) -> list[Message]:
    """The messages up to the first one with this name."""
    seen = []
    for message in stream:
        seen.append(message)
        if message.name == name and message.data is not None:
            return seen
    raise AssertionError(f"the stream ended without {name}: {seen[-3:]}")


def rows(stream: Iterable[Message], count: int) -> list[Message]:
    """The next `count` rows."""
    seen: list[Message] = []
    for message in stream:
        if message.name == "message" and message.data is not None:
            seen.append(message)
            if len(seen) == count:
                return seen
    raise AssertionError(f"the stream ended after {len(seen)} rows")
