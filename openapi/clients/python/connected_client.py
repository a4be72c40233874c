"""What every client has, whatever its operations."""

import logging
import ssl
from collections.abc import Callable
from typing import Self, TypedDict

from openapi.clients.python.operations import Caller
from openapi.clients.python.wire.connections import Connections
from openapi.clients.python.wire.credentials import Credentials

TIMEOUT, PATIENCE = 30.0, 60.0
_PACKAGE = __name__.partition(".")[0]


class Options(TypedDict, total=False):
    """How a client behaves; times are in seconds."""

    timeout: float
    """For one request and its answer: 30 by default."""
    patience: float
    """For a call with all its attempts: 60 by default. A call that may be repeated is, as long as it fails for now."""
    context: ssl.SSLContext
    """How certificates are verified: by those of the system, by default."""
    logger: logging.Logger
    """The log of attempts and outages: that with the name of this package by default."""


class ConnectedClient:
    """Connections to a service, and credentials; a context manager."""

    def __init__(
        self, url: str, version: str, credentials: Callable[[Connections], Credentials], options: Options
    ) -> None:
        """`url` is that of the service, such as https://reports.example; `version` is that of the contract."""
        self._connections = Connections(url, options.get("timeout", TIMEOUT), options.get("context"))
        self._version = version
        self.caller = Caller(
            self._connections,
            credentials(self._connections),
            f"{_PACKAGE}/{version}",
            options.get("patience", PATIENCE),
            options.get("logger") or logging.getLogger(_PACKAGE),
        )

    def stale(self) -> str:
        """The version of the contract that the service has put in place of this client's; empty if it is the same.

        It is known from the answers, so before the first one it is empty, too.
        """
        seen = self.caller.contract_version
        return seen if seen != self._version else ""

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
