"""The log: one JSON object per line, on standard error."""

import asyncio
import logging
import os
import re
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime

import orjson

from scripts.telemetry.line_writer import LineWriter

logger = logging.getLogger(__name__)

_KEY = re.compile(r"(ir[ks]_|eyJ)[A-Za-z0-9_.-]+")
"""API keys, client secrets, and text that begins like a JWT: with a JSON object in base64url."""
_OF_EVERY_RECORD = frozenset({*vars(logging.makeLogRecord({})), "message", "taskName", "color_message"})
HELD_SECONDS = 0.05
HELD_LINES = 1000
REPORT_SECONDS = 60.0
"""Between two lines that say how many others were lost."""


class Formatter(logging.Formatter):
    """Formats a record as JSON, without anything that looks like an API key."""

    def __init__(self) -> None:
        super().__init__()
        self._process = os.getpid()

    def format(self, record: logging.LogRecord) -> str:
        """`record` as one line."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack_info"] = self.formatStack(record.stack_info)
        line |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        text = orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        return without_keys(text)


class Handler(logging.Handler):
    """Holds lines briefly while an event loop runs: a write for each line would cost more than its formatting.

    Warnings and more severe records are written at once. A LineWriter writes the lines, so that a slow reader
    does not delay the event loop. Once a minute a line says how many were lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writer = LineWriter(sys.stderr)
        self._held: list[str] = []
        self._reported = 0  # of the dropped lines
        self._report_at = 0.0
        self.holds = True

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record` soon, or at once."""
        try:
            self._held.append(self.format(record))
        except Exception:
            self.handleError(record)
            return
        loop = asyncio._get_running_loop()
        is_urgent = record.levelno >= logging.WARNING or len(self._held) >= HELD_LINES
        if not self.holds:
            self.flush()
        elif loop is None or is_urgent:
            self._hand_over()
        elif len(self._held) == 1:
            loop.call_later(HELD_SECONDS, self._hand_over)

    def flush(self) -> None:
        """Write the held lines, and wait a moment for their reader."""
        self._hand_over()
        self.writer.drain()

    def _hand_over(self) -> None:
        with self.lock or nullcontext():
            lines, self._held = self._held, []
        if lines:
            self.writer.add(lines)
        self._report()

    def _report(self) -> None:
        """Log how many lines were lost since the start, when there is room for it again, at most once a minute."""
        is_due = self.writer.dropped > self._reported and not self.writer.is_full
        if is_due and time.monotonic() >= self._report_at:
            self._report_at = time.monotonic() + REPORT_SECONDS
            self._reported = self.writer.dropped
            lost = {"lost_since_start": self._reported}
            logger.warning("lines of the log were lost, because they could not be written", extra=lost)


def without_keys(text: str) -> str:
    """`text` without anything that looks like a key, a secret or a token."""
    return _KEY.sub(r"\1...", text) if "irk_" in text or "irs_" in text or "eyJ" in text else text


def stop_holding() -> None:
    """Write the held lines, and from now on write each line at once."""
    for handler in _handlers():
        handler.holds = False
        handler.flush()


def lost_lines() -> int:
    """The lines of this process that could not be written."""
    return sum(handler.writer.dropped for handler in _handlers())


def _handlers() -> list[Handler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, Handler)]


def configure(level: str) -> None:
    """Send every log of this process, including those of libraries, to standard error."""
    handler = Handler()
    handler.setFormatter(Formatter())
    logging.raiseExceptions = False  # a record that cannot be formatted is not shown raw: it might hold a key
    logging.logThreads = logging.logMultiprocessing = False  # no line shows them
    logging._srcfile = None
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The service logs the same events better.
    for name in ("connexion", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
