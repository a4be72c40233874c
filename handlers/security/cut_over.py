"""Hubs that are cut over: they have gone on to access tokens, and are told so where they still come with a key."""

from collections.abc import Sequence

from db.registry import Caller
from handlers.contracts.serving_plan import VERSIONS
from openapi.contract import Contract
from openapi.problems import Problem

SOME_VERSION = f"a version that {VERSIONS} lists"


class CutOver:
    """Knows where hubs that are cut over are to go. `served` is told what is served."""

    def __init__(self, metadata: str) -> None:
        """`metadata` is the URL of the authorization server's metadata (RFC 8414)."""
        self._metadata = metadata
        self._successor = SOME_VERSION

    def served(self, contracts: Sequence[Contract]) -> None:
        """Send hubs to the highest version of `contracts` that takes access tokens."""
        paths = [contract.server_path for contract in contracts if contract.scopes]
        self._successor = paths[-1] if paths else SOME_VERSION

    def check_key(self, caller: Caller) -> None:
        """Problem `cut_over` if the key of `caller` is refused because it was cut over."""
        if caller.is_cut_over:
            raise Problem("cut_over", successor=self._successor, metadata=self._metadata)
