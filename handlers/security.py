"""Who is calling."""

from db import hubs
from db.engine import Database
from db.hubs import Hub


async def authenticate(key: str, database: Database) -> Hub | None:
    """The hub whose API key is `key`; None if there is none, or it is disabled."""
    return await database.run(hubs.of_key, key)
