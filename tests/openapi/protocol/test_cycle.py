"""The status lines of a service, whichever Python version runs it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

pytest_plugins = ["tests.service"]


def test_a_service_writes_its_own_phrases(monkeypatch: pytest.MonkeyPatch, start_service: Callable[..., Any]) -> None:
    """The composition root replaces Python's reason phrases."""
    monkeypatch.setitem(STATUS_LINE, 404, b"HTTP/1.1 404 Of another Python\r\n")
    with start_service() as service:
        response = httpx.get(f"{service.url}/nothing")
    assert (response.status_code, response.reason_phrase) == (404, "Not Found")
