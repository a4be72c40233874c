"""Builds the clients of OpenAPI Generator in the background, in one process among all workers and replicas.

A build takes seconds of a whole processor and hundreds of megabytes: no request waits for one, and none starts one.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from sqlalchemy import Connection

from db import contracts, generated_clients
from db.advisory_locks import AdvisoryLock, try_session_lock
from db.background import running_task
from db.contracts import ContractRow
from db.engine import Database
from db.errors import DatabaseError
from db.generated_clients import ClientKey, ClientState
from handlers.contracts.client_packages import ClientPackages
from handlers.contracts.serving_plan import read
from openapi.contract import ContractError
from openapi.generate.openapi_generator.bounded_process import ProcessFault, Stopped
from openapi.generate.openapi_generator.program import Generator
from openapi.generate.openapi_generator.recipes import Recipe

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 2
"""Builds of a client that may crash, or end with their worker, before it counts as one that cannot be built."""
LOOK_SECONDS = 30.0
"""Between two looks while clients are missing: another process builds them, or the database is away."""
SETTLED_LOOK_SECONDS = 600.0
"""Between two looks otherwise: an operator may have deleted rows, to have a failed build tried again."""


class ClientBuilds:
    """The clients in `languages` of all published contracts that are not retired, made by `generator`, if there is one.

    With a `public_url` they find the service by themselves.
    """

    def __init__(
        self, database: Database, languages: Sequence[str], generator: Generator | None, public_url: str = ""
    ) -> None:
        self.languages = tuple(languages)
        self.generator = generator
        self._database = database
        self._public_url = public_url
        self._changed = asyncio.Event()
        self._stopped = threading.Event()
        self._known: dict[tuple[str, str], dict[ClientKey, Recipe]] = {}

    def contracts_changed(self) -> None:
        """Build what is missing now."""
        self._changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Build what is missing, now and after each change, until the context ends: that ends a build, too."""
        if not self.languages or self.generator is None:
            yield
            return
        async with running_task(self._keep_up(self.generator)):
            try:
                yield
            finally:
                self._stopped.set()

    def key(self, recipe: Recipe) -> ClientKey:
        """The key of a client in the database."""
        return ClientKey(recipe.digest, recipe.language, self.generator.identity if self.generator else "")

    async def _keep_up(self, generator: Generator) -> None:
        while True:
            self._changed.clear()
            is_settled = await asyncio.to_thread(self._try, generator)
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLED_LOOK_SECONDS if is_settled else LOOK_SECONDS):
                    await self._changed.wait()

    def _try(self, generator: Generator) -> bool:
        """As `build_missing`; False after an error, because the next attempt may succeed."""
        try:
            return self.build_missing(generator)
        except Stopped:
            return False
        except Exception as error:
            is_expected = isinstance(error, DatabaseError)
            logger.warning("clients cannot be built, trying again: %s", error, exc_info=not is_expected)
            return False

    def build_missing(self, generator: Generator) -> bool:
        """Build the missing clients one after the other; False, at once, if another process builds them.

        Stopped if this object no longer runs.
        """
        with self._database.session() as session:
            wanted = self._wanted(session)
            if not _missing(session, wanted, generator):
                return True
            if not try_session_lock(session, AdvisoryLock.GENERATED_CLIENTS):
                return False
            session.commit()
            while missing := _missing(session, wanted, generator):
                self._build(session, generator, missing[0], wanted[missing[0]])
            if forgotten := generated_clients.forget(session, wanted):
                logger.info("old clients forgotten", extra={"clients": forgotten})
            session.commit()
            return True

    def _wanted(self, session: Connection) -> Mapping[ClientKey, Recipe]:
        """The recipe of each client, those of the newest contract first."""
        rows = [row for row in contracts.list_all(session) if row.is_public and row.status != "retired"]
        session.commit()
        known, self._known = self._known, {}
        for row in reversed(rows):
            place = row.contract_version, row.document
            self._known[place] = known[place] if place in known else self._recipes(row)
        return {key: recipe for recipes in self._known.values() for key, recipe in recipes.items()}

    def _recipes(self, row: ContractRow) -> dict[ClientKey, Recipe]:
        """Those of one contract; none, with a warning, if no client can be made of it."""
        try:
            packages = ClientPackages(read(row), self._public_url)
            return {self.key(recipe): recipe for recipe in map(packages.recipe, self.languages)}
        except ContractError as error:
            logger.warning("no clients can be built of contract %s: %s", row.contract_version, error)
            return {}

    def _build(self, session: Connection, generator: Generator, key: ClientKey, recipe: Recipe) -> None:
        """Build one client, and keep it or its fault; a crash counts, and the next call tries again."""
        attempt = generated_clients.begin(session, key)
        session.commit()
        try:
            content = self._archive(generator, recipe, attempt)
        except Stopped:
            generated_clients.take_back(session, key)
            session.commit()
            raise
        except ProcessFault as error:
            logger.warning("the client %s cannot be built: %s", recipe.folder, error)
            if not error.is_passing or attempt >= MOST_ATTEMPTS:
                generated_clients.refuse(session, key, str(error))
        else:
            generated_clients.store(session, key, content)
            logger.info("client built", extra={"client": recipe.folder, "bytes": len(content)})
        session.commit()

    def _archive(self, generator: Generator, recipe: Recipe, attempt: int) -> bytes:
        """The archive; ProcessFault also if the system fails, or earlier attempts ended without a result."""
        if attempt > MOST_ATTEMPTS:
            raise ProcessFault("each build ended with its worker", is_passing=False)
        try:
            return generator.archive(recipe, self._stopped)
        except OSError as error:
            raise ProcessFault(f"the system refuses: {error.strerror}", is_passing=True) from None


def _missing(session: Connection, wanted: Mapping[ClientKey, Recipe], generator: Generator) -> list[ClientKey]:
    """The clients that are neither built nor refused."""
    states = generated_clients.states(session, generator.identity)
    session.commit()
    return [key for key in wanted if not states.get(key, ClientState()).is_settled]
