"""The origins of hubs: the pages that may report for a hub from a browser."""

from sqlalchemy import Connection, select, update

from db.errors import NotFound, Refused
from db.tables import MOST_ORIGINS, hubs


def add(connection: Connection, name: str, origin: str) -> list[str]:
    """List `origin` for the hub named `name`; returns all of its origins, sorted.

    NotFound if the hub is absent, Refused if it has MOST_ORIGINS others. An origin that is listed stays listed.
    """
    listed = _locked(connection, name)
    if origin not in listed and len(listed) >= MOST_ORIGINS:
        raise Refused(f"the hub {name!r} has {MOST_ORIGINS} origins, which is the limit: remove one first")
    return _store(connection, name, {*listed, origin})


def remove(connection: Connection, name: str, origin: str) -> list[str]:
    """Take `origin` off the list of the hub named `name`; returns the origins that stay, sorted.

    NotFound if the hub is absent or has not listed the origin.
    """
    listed = _locked(connection, name)
    if origin not in listed:
        raise NotFound(f"the hub {name!r} has not listed {origin!r}")
    return _store(connection, name, {*listed} - {origin})


def of_hub(connection: Connection, name: str) -> list[str]:
    """The origins of the hub named `name`, sorted; NotFound if it is absent."""
    origins: list[str] | None = connection.execute(select(hubs.c.origins).where(hubs.c.name == name)).scalar()
    return _existing(origins, name)


def _locked(connection: Connection, name: str) -> list[str]:
    """As `of_hub`; no other transaction changes them until this one ends."""
    query = select(hubs.c.origins).where(hubs.c.name == name).with_for_update()
    return _existing(connection.execute(query).scalar(), name)


def _store(connection: Connection, name: str, origins: set[str]) -> list[str]:
    connection.execute(update(hubs).where(hubs.c.name == name).values(origins=sorted(origins)))
    return sorted(origins)


def _existing(origins: list[str] | None, name: str) -> list[str]:
    if origins is None:
        raise NotFound(f"there is no hub named {name!r}")
    return origins
