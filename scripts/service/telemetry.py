"""Traces and reports of errors, if the settings ask for them; their packages are extras of the project."""

import asyncio
from collections.abc import AsyncIterator
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
    """Send what is left at the end of the block, without keeping the event loop."""
    try:
        yield
    finally:
        if tracer:
            await asyncio.to_thread(tracer.close)
        if settings.sentry_dsn:
            await asyncio.to_thread(_extra("scripts.telemetry.errors", "sentry", variable("sentry_dsn")).flush)


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
