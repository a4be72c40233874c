"""The clients of OpenAPI Generator as they are served: read from the database, built by whichever process that is."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from db import generated_clients
from db.engine import Database
from db.errors import Unavailable
from db.generated_clients import ClientKey, ClientState
from handlers.contracts.client_builds import ClientBuilds
from handlers.contracts.shared_reading import SharedReading
from openapi.generate.openapi_generator.program import EXTRA
from openapi.generate.openapi_generator.recipes import Recipe
from openapi.problems import Problem
from openapi.rendering.representations import Representation

MOST_KEPT = 64
"""Archives in memory: some hundred kilobytes each."""
_MEDIA_TYPE = "application/gzip"


class ClientArchives:
    """The states and archives of clients. Concurrent requests share one reading of the database."""

    def __init__(self, database: Database, builds: ClientBuilds) -> None:
        self._database = database
        self._builds = builds
        self._reading = SharedReading[dict[ClientKey, ClientState]]()
        self._kept: dict[ClientKey, asyncio.Task[bytes | None]] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that are configured."""
        return self._builds.languages

    def require_generator(self, language: str) -> None:
        """Problem if there is no generator."""
        if self._builds.generator is None:
            raise Problem("client_not_installed", language=language, extra=EXTRA)

    async def entry(self, recipe: Recipe, url: str) -> dict[str, Any]:
        """A client in a list: its status, and what there is of its digest, size and fault; files are below `url`."""
        state = await self._state(recipe)
        address = f"{url}/{recipe.file_name}"
        entry = {"language": recipe.language, "status": _status(state), "file_name": recipe.file_name}
        if state.fault:
            return {**entry, "reason": state.fault}
        built = {"bytes": state.size, "sha256": state.sha256} if state.sha256 else {}
        return {**entry, **built, "url": address, "install": recipe.install.format(url=address)}

    async def representation(self, recipe: Recipe) -> Representation:
        """The archive of a client; Problem if there is none, or none yet."""
        state = await self._state(recipe)
        if state.fault:
            raise Problem("client_not_built", language=recipe.language, fault=state.fault)
        content = await self._archive(self._builds.key(recipe)) if state.sha256 else None
        if content is None:
            raise Problem("client_building", language=recipe.language)
        return Representation.of_file(_MEDIA_TYPE, content, recipe.file_name)

    async def _state(self, recipe: Recipe) -> ClientState:
        states = await self._states()
        return states.get(self._builds.key(recipe), ClientState())

    async def _states(self) -> Mapping[ClientKey, ClientState]:
        """All of them, as a shared reading has them."""
        generator = self._builds.generator.identity if self._builds.generator else ""
        with _available():
            return await self._reading.value(lambda: self._database.run(generated_clients.states, generator))

    async def _archive(self, key: ClientKey) -> bytes | None:
        """An archive, which is read once; None if its row is gone."""
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = asyncio.create_task(self._database.run(generated_clients.archive, key))
        reading = self._kept[key]
        content: bytes | None = None
        try:
            with _available():
                content = await asyncio.shield(reading)
        finally:
            if content is None and reading.done():  # read it again next time
                self._kept.pop(key, None)
        return content


@contextmanager
def _available() -> Iterator[None]:
    """Problem if the database cannot be reached."""
    try:
        yield
    except Unavailable as error:
        raise Problem("contracts_unavailable", reason=str(error)) from None


def _status(state: ClientState) -> str:
    if state.fault:
        return "failed"
    return "ready" if state.sha256 else "building"
