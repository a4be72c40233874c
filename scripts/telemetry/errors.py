"""Lines of the log at level error, sent to Sentry: without keys, headers, bodies and the values of variables."""

import logging
from collections.abc import Callable
from typing import Any

import orjson
import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import BadDsn

FLUSH_SECONDS = 2.0


class BadAddress(ValueError):
    """The DSN is none."""


def report_to(dsn: str, without_keys: Callable[[str], str], **options: Any) -> None:
    """From now on send each line at level error to `dsn`, and nothing else; BadAddress if it is malformed.

    Sentry's own default collects no personal data; a test holds it to that.
    """
    if sentry_sdk.get_client().is_active():
        return

    def cleaned(event: Any, _hint: Any) -> Any:
        return orjson.loads(without_keys(orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()))

    try:
        sentry_sdk.init(
            dsn=dsn,
            before_send=cleaned,
            integrations=[LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None)],
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_client_reports=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            **options,
        )
    except BadDsn as error:
        raise BadAddress(f"it must be https://key@host/project: {error}") from None


def flush() -> None:
    """Send what is left, for up to two seconds."""
    sentry_sdk.flush(FLUSH_SECONDS)
