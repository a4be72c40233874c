"""Who is calling."""

from db.registry import Caller
from handlers.resources import Resources


async def authenticate(key: str, resources: Resources) -> Caller | None:
    """The hub whose API key is `key`; None if there is none, or it is disabled."""
    return await resources.registry.hub(key)
