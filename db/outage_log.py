"""The log of outages: one line at the beginning, one each minute, and one at the end."""

import logging
import time

REPEAT_SECONDS = 60.0
CALM_SECONDS = 1.0
"""Between the last failure and the success that ends an outage, where some attempts may succeed during it."""


class OutageLog:
    """Logs failures that may happen thousands of times a second."""

    def __init__(self, logger: logging.Logger, over: str, calm_seconds: float = 0.0) -> None:
        """`over` is the message at the end of an outage, which ends so many seconds after the last failure."""
        self._logger = logger
        self._over = over
        self._calm_seconds = calm_seconds
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
        if self._logged_at is not None and time.monotonic() >= self._failed_at + self._calm_seconds:
            self._logged_at = None
            self._logger.info(self._over)
