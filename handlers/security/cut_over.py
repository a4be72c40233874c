"""Hubs that are cut over: they use access tokens now, and the service refuses their API keys."""

from collections.abc import Sequence

from db.registry import Caller
from handlers.paths import LISTED_VERSION
from openapi.contract import Contract
from openapi.problems import Problem


class CutOver:
    """Knows the version that a refused hub should use instead; `served` sets it."""

    def __init__(self, metadata: str) -> None:
        """`metadata` is the URL of the authorization server's metadata (RFC 8414)."""
        self._metadata = metadata
        self._successor = LISTED_VERSION

    def served(self, contracts: Sequence[Contract]) -> None:
        """Send hubs to the highest version of `contracts` that takes access tokens."""
        paths = [contract.server_path for contract in contracts if contract.scopes]
        self._successor = paths[-1] if paths else LISTED_VERSION

    def check_key(self, caller: Caller) -> None:
        """Problem `cut_over` if `caller` is cut over, so that its key is refused."""
        if caller.is_cut_over:
            raise Problem("cut_over", successor=self._successor, metadata=self._metadata)
