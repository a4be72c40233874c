"""Who is calling."""

from db.hubs import Hub
from handlers.resources import Resources


async def authenticate(key: str, resources: Resources) -> Hub | None:
    """The hub whose API key is `key`; None if there is none, or it is disabled."""
    return await resources.registry.hub(key)
