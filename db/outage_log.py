"""The log of outages: one line at the beginning, one each minute, and one at the end."""

import logging
import time

REPEAT_SECONDS = 60.0
CALM_SECONDS = 1.0
"""An outage is over after a success that is so much later than the last failure: some failures are only partial."""


class OutageLog:
    """Logs failures that may happen thousands of times a second."""

    def __init__(self, logger: logging.Logger, over: str) -> None:
        """`over` is the message at the end of an outage."""
        self._logger = logger
        self._over = over
        self._failed_at = 0.0
        self._logged_at: float | None = None  # None: there is no outage

    def fails(self, message: str, *arguments: object) -> None:
        """Note a failure; log it as a warning if it is the first, or a minute after the last such line."""
        self._failed_at = time.monotonic()
        if self._logged_at is None or self._failed_at >= self._logged_at + REPEAT_SECONDS:
            self._logged_at = self._failed_at
            self._logger.warning(message, *arguments)

    def works(self) -> None:
        """Note a success; log the end of the outage, if there was one."""
        if self._logged_at is not None and time.monotonic() >= self._failed_at + CALM_SECONDS:
            self._logged_at = None
            self._logger.info(self._over)
