"""The spans of traced requests and of the commits that store their rows, made by OpenTelemetry.

The variables OTEL_EXPORTER_OTLP_*, OTEL_BSP_*, OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say where they are sent.
Attributes hold no key, no body, no query string and no header.
"""

import os
import time
from collections.abc import Sequence
from contextvars import ContextVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from openapi.serving.request_state import RequestState, request_state
from scripts.telemetry.sampling import Parent

NAME = "interaction-reporting"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_request: ContextVar[SpanContext | None] = ContextVar("traced_request", default=None)


class Tracing:
    """Makes the spans, and sends them through `processor`."""

    def __init__(self, processor: SpanProcessor | None = None) -> None:
        """Without a processor the spans are sent by OTLP over HTTP, from a thread."""
        resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", NAME)})
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self._provider.get_tracer(NAME)

    async def request(self, app: ASGIApp, parent: Parent | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with `app` within a span, in the trace of its `parent`."""
        context = set_span_in_context(NonRecordingSpan(_remote(parent))) if parent else None
        span = self.tracer.start_span("request", context, kind=SpanKind.SERVER)
        token = _request.set(span.get_span_context())
        try:
            await app(scope, receive, send)
        except Exception as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            _request.reset(token)
            _describe(span, request_state(scope), scope["method"])
            span.end()

    def commits(self, kind: str) -> "CommitTraces":
        """What a writer of rows of this `kind` reports its commits to."""
        return CommitTraces(self, kind)

    def close(self) -> None:
        """Send what is left; this may take seconds."""
        self._provider.shutdown()


class CommitTraces:
    """The spans of the commits of one writer."""

    def __init__(self, tracing: Tracing, kind: str) -> None:
        self._tracer = tracing.tracer
        self._kind = kind

    def current(self) -> SpanContext | None:
        """The span of the present request; None if it is not traced."""
        return _request.get()

    def committed(self, requests: Sequence[SpanContext], rows: int, seconds: float) -> None:
        """A commit of `rows` has just ended: a span in the trace of the first of `requests`, with links to all."""
        ended = time.time_ns()
        span = self._tracer.start_span(
            "commit",
            set_span_in_context(NonRecordingSpan(requests[0])),
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", "interaction_reporting.kind": self._kind, "rows": rows},
            links=[Link(request) for request in requests],
            start_time=ended - int(seconds * 1e9),
        )
        span.end(ended)


def _remote(parent: Parent) -> SpanContext:
    return SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _describe(span: Span, state: RequestState, method: str) -> None:
    """Set what is known at the end of a request; each value is of a bounded set."""
    known = method if method in METHODS else "_OTHER"
    operation = state.operation if state.version else None  # outside the API it is what the client sent
    span.update_name(f"{known} {operation}" if operation else known)
    span.set_attribute("http.request.method", known)
    if operation and state.version:
        span.set_attribute("interaction_reporting.operation", operation)
        span.set_attribute("interaction_reporting.contract_version", state.version)
    if state.status:
        span.set_attribute("http.response.status_code", state.status)
    if state.status >= 500:
        span.set_status(StatusCode.ERROR)
    if state.problem:
        span.set_attribute("error.type", state.problem)
