"""How an outbox behaves."""

from collections.abc import Callable
from logging import Logger
from typing import TypedDict

from openapi.clients.python.outbox_files.items import Refused

MAX_ITEMS = 1_000_000
MAX_BYTES = 1024 * 1024 * 1024


class Options(TypedDict, total=False):
    """How an outbox behaves; times are in seconds."""

    background: bool
    """False sends only while `flush` runs, for programs that are frozen between calls. True by default."""
    power_safe: bool
    """True: `add` returns when the disk has the item, so that a power cut cannot lose it."""
    max_items: int
    """Items that may wait: a million by default."""
    max_bytes: int
    """Bytes that the file may have, refused items included: 1 GiB by default."""
    max_age: float
    """What is older is deleted, sent or not, at most a tenth of this later. Nothing is by default."""
    linger: float
    """How long the sender waits for more items to send at once: 0.1 by default."""
    lock_timeout: float
    """How long another program may lock the file: 75 by default."""
    on_refused: Callable[[Refused], None]
    """Called for each item that is refused, by the thread that sends; a line of the log by default."""


def logging_to(log: Logger) -> Callable[[Refused], None]:
    """A hook that writes a line of the log for each refused item."""

    def tell(refused: Refused) -> None:
        reason = refused.reason
        log.warning("%s %s is refused: %s %s", refused.kind, refused.key, reason.status, reason.error or reason.code)

    return tell
