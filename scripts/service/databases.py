"""The database of the settings."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

from db import embedded, revisions
from db.engine import Database
from scripts.service.settings import Settings


@contextmanager
def connected(settings: Settings) -> Iterator[Database]:
    """The database of `settings` as it is; an embedded one runs meanwhile if none is named."""
    named = nullcontext(settings.database_url) if settings.database_url else embedded.running(settings.data_dir)
    with named as url, closing(Database(url, settings.connections, settings.database_timeout)) as opened:
        yield opened


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`, which must have the tables of this release; Refused if it has not."""
    with connected(settings) as opened:
        with opened.begin() as connection:
            revisions.require_current(connection)
        yield opened
