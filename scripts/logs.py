"""The log: one JSON object a line, on standard error."""

import logging
import re

from pythonjsonlogger.orjson import OrjsonFormatter

_KEY = re.compile(r"irk_[A-Za-z0-9_-]+")


class Formatter(OrjsonFormatter):
    """Leaves out whatever looks like an API key, wherever in a line it stands."""

    def format(self, record: logging.LogRecord) -> str:
        """`record` as one line."""
        return _KEY.sub("irk_...", super().format(record))


def configure(level: str) -> None:
    """Send every log of this process, those of libraries too, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        Formatter(
            "{levelname}{process}{name}{message}",
            style="{",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger", "message": "event"},
        )
    )
    logging.raiseExceptions = False  # what cannot be formatted is not shown raw: it might hold a key
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What these tell, the service tells better.
    for name in ("connexion", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
