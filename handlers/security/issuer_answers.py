"""What other authorization servers answer: a JSON object, within limits of time and size, without redirects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from openapi.standards import ijson
from openapi.standards.media_types import JSON

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 256 * 1024
MOST_CONNECTIONS = 20
"""Limit on the requests of one client at a time; others wait, for TIMEOUT_SECONDS."""
_HEADERS = {"accept": JSON, "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, and its JSON object."""

    status: int
    members: Mapping[str, Any]


def client() -> httpx.AsyncClient:
    """An HTTP client that follows no redirect, and no proxy of the environment."""
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS)
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False, limits=limits)


async def got(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The JSON object at `url`; httpx.HTTPError unless its status is 200, ValueError if it is none or too large."""
    async with client.stream("GET", url, headers=_HEADERS) as response:
        if response.status_code != 200:
            raise httpx.HTTPStatusError(f"status {response.status_code}", request=response.request, response=response)
        return await _object(response)


async def posted(client: httpx.AsyncClient, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    """The answer to a `form`, with any status; httpx.HTTPError without one, ValueError as `got`."""
    async with client.stream("POST", url, data=form, headers={**_HEADERS, **headers}) as response:
        return Answer(response.status_code, await _object(response))


async def _object(response: httpx.Response) -> dict[str, Any]:
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > MAX_BYTES:
            raise ValueError(f"an answer has more than {MAX_BYTES} bytes")
    value = ijson.loads(bytes(content))
    if not isinstance(value, dict):
        raise ValueError("an answer is not a JSON object")  # noqa: TRY004 (it is a value that was sent)
    return value
