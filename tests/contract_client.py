"""A client that validates every response against a contract."""

import ssl
from functools import cache
from typing import Any

import httpx

from openapi.contract import Contract
from tests import promises


class ContractClient(httpx.Client):
    """A client that raises AssertionError for a response that breaks the contract."""

    def __init__(self, contract: Contract, **options: Any) -> None:
        self._contract = contract
        super().__init__(**{"verify": unused()} | options)

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send `request`, and check the response unless its path begins with /health/."""
        response = super().send(request, **options)
        if not request.url.path.startswith("/health/"):
            response.read()
            promises.check(response, self._contract)
        return response


@cache
def unused() -> ssl.SSLContext:
    """A TLS context; httpx would make one for each client, which takes longer than most tests."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
