"""Traces and reports of errors, if the settings ask for them; their packages are extras of the project."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from handlers.resources import Resources
from scripts.metrics.resource_readings import REJECTIONS
from scripts.service import logs
from scripts.service.settings import Settings, SettingsError, variable
from scripts.telemetry.extras import MissingExtra, imported
from scripts.telemetry.sampling import Sampling

END_SECONDS = 1.0
"""How long the end of a worker waits for what is still to be sent."""


def report_errors(settings: Settings) -> None:
    """Send the lines of the log at level error to Sentry; SettingsError if that cannot be done."""
    if not settings.sentry_dsn:
        return
    name = variable("sentry_dsn")
    errors = _extra("scripts.telemetry.errors", "sentry", name)
    try:
        errors.report_to(settings.sentry_dsn, logs.without_keys)
    except ValueError as error:
        raise SettingsError(f"{name} is no DSN: {error}") from None


def tracing(settings: Settings) -> Any:
    """The Tracing of this process, or None if no request is traced; SettingsError if that cannot be done."""
    if settings.trace_ratio is None:
        return None
    return _extra("scripts.telemetry.tracing", "tracing", variable("trace_ratio")).Tracing()


def require(settings: Settings) -> None:
    """SettingsError if the packages that tracing needs are not installed: before the workers find that out."""
    if settings.trace_ratio is not None:
        _extra("scripts.telemetry.tracing", "tracing", variable("trace_ratio"))


def traced(app: ASGIApp, tracer: Any, settings: Settings) -> ASGIApp:
    """`app` with a span for each traced request; `app` itself if there is no `tracer`."""
    return Sampling(app, settings.trace_ratio or 0.0, partial(tracer.request, app)) if tracer else app


@asynccontextmanager
async def running(tracer: Any, settings: Settings) -> AsyncIterator[None]:
    """Send what is left at the end of the block, for a moment: an end must not wait for a collector that is away."""
    try:
        yield
    finally:
        if tracer:
            await _briefly(tracer.close)
        if settings.sentry_dsn:
            await _briefly(_extra("scripts.telemetry.errors", "sentry", variable("sentry_dsn")).flush)


async def _briefly(send: Callable[[], object]) -> None:
    """Call `send` on a thread that the process does not wait for, and return when it is done, or after a moment."""
    sending = threading.Thread(target=send, name="telemetry", daemon=True)
    sending.start()
    deadline = asyncio.get_running_loop().time() + END_SECONDS
    while sending.is_alive() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(END_SECONDS / 20)


def trace_commits(resources: Resources, tracer: Any) -> None:
    """Let each writer make a span of the commits of traced requests."""
    if tracer:
        for kind, writer in {**resources.writers, REJECTIONS: resources.rejections.writer}.items():
            writer.traces = tracer.commits(kind)


def _extra(module: str, extra: str, name: str) -> Any:
    try:
        return imported(module, extra, name)
    except MissingExtra as error:
        raise SettingsError(str(error)) from None
