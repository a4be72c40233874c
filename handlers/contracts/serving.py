"""Serves the contracts in the rows of the database, and follows each change of the rows."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from db.active_contracts import ActiveContracts, MajorVersionState, ServedDocument
from db.engine import Database
from handlers.contracts import serving_plan
from handlers.contracts.serving_plan import Served, ServedMajor
from openapi.contract import Contract, ContractError
from openapi.serving.error_styles import style_of
from openapi.serving.live import Live

logger = logging.getLogger(__name__)

Build = Callable[[Contract], ASGIApp]
"""The application that serves a contract; ContractError if it cannot be served."""


class Applications:
    """Builds the applications of documents, each only once while it is in use."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._known: dict[ServedDocument, Served | str] = {}  # or why it cannot be served
        self._asked: dict[ServedDocument, Served | str] = {}

    def serve(self, text: ServedDocument) -> Served:
        """The application of `text`; ContractError if it cannot be served."""
        key = ServedDocument(text.contract_version, text.document)
        outcome = self._known.get(key) or self._attempt(key)
        self._known[key] = self._asked[key] = outcome
        if isinstance(outcome, str):
            raise ContractError(outcome)
        return outcome

    def forget(self) -> None:
        """Forget the documents that were not served since the last call."""
        self._known, self._asked = self._asked, {}

    def _attempt(self, text: ServedDocument) -> Served | str:
        try:
            contract = serving_plan.read(text)
            serving_plan.require_free_path(contract)
            return Served(contract, self._build(contract))
        except ContractError as error:
            return str(error)


class Serving:
    """Serves the rows through `live`. A new application is built on a thread, and takes over with the next request."""

    def __init__(
        self, live: Live, build: Build, replaced: Callable[["Serving"], None], style: serving_plan.Style = style_of
    ) -> None:
        """`replaced` is called after each change of the served contracts."""
        self._live = live
        self._applications = Applications(build)
        self._replaced = replaced
        self._style = style
        self._planned: list[ServedMajor] = []
        self._logged: list[str] = []

    @property
    def contracts(self) -> list[Contract]:
        """The contracts that are served, lowest version first."""
        return [major.served.contract for major in self._planned if major.served]

    @property
    def warnings(self) -> list[str]:
        """The differences between the rows and the served contracts, a sentence each."""
        return serving_plan.warnings(self._planned)

    @property
    def refused(self) -> list[str]:
        """The versions whose rows should be served, but are not."""
        faulty = [major for major in self._planned if major.fault]
        return [major.document.contract_version if major.document else str(major.number) for major in faulty]

    @asynccontextmanager
    async def following(self, database: Database) -> AsyncIterator[None]:
        """Serve the governing rows, and follow their changes; ContractError if none can be served.

        Unavailable if they cannot be read.
        """
        async with ActiveContracts(database, self._apply).following():
            serving_plan.require_path(self._planned)
            yield

    async def _apply(self, states: Sequence[MajorVersionState]) -> list[ServedDocument]:
        """Serve the major versions as in `states`; returns the rows that are served."""
        old = self._planned
        # On a thread: a build takes an eighth of a second, and requests must go on.
        self._planned = await asyncio.to_thread(serving_plan.plan, states, self._applications.serve, old)
        self._applications.forget()
        self._live.serve(serving_plan.parts(self._planned, self._style))
        self._replaced(self)
        self._log(old)
        old.clear()  # the thread may hold it a moment longer
        gc.collect()  # an application has reference cycles, and is as large as the garbage of thousands of requests
        return [major.document for major in self._planned if major.document and major.served and not major.fault]

    def _log(self, old: Sequence[ServedMajor]) -> None:
        """Log the newly served contracts, and each warning once."""
        known = {major.served.contract.digest for major in old if major.served}
        for contract in self.contracts:
            if contract.digest not in known:
                logger.info("contract served", extra={"contract": contract.version, "digest": contract.digest})
        for warning in self.warnings:
            if warning not in self._logged:
                logger.error(warning)
        self._logged = self.warnings
