"""Traces: which requests have spans, and the link from a commit to the requests whose rows it stored."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scripts.service import telemetry
from scripts.telemetry.sampling import Parent, parent_in
from scripts.telemetry.tracing import Tracing
from tests.examples import EVENT
from tests.service import Service

EVENTS = "/api/v1/interaction-events"
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"

Start = Callable[..., Any]


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What the service exports, in memory in place of the network."""
    spans = InMemorySpanExporter()
    monkeypatch.setattr(
        telemetry, "tracing", lambda settings: Tracing(SimpleSpanProcessor(spans)) if has_ratio(settings) else None
    )
    yield spans
    spans.shutdown()


def has_ratio(settings: Any) -> bool:
    """True if the settings ask for traces."""
    return settings.trace_ratio is not None


def spans_of(service: Service, exporter: InMemorySpanExporter, *headers: tuple[str, str]) -> list[ReadableSpan]:
    """The spans of the POST of an event with `headers`, which succeeds."""
    exporter.clear()
    with service.client() as client:
        sent = [*client.headers.multi_items(), *headers]
        assert client.post(EVENTS, json=EVENT, headers=sent).status_code == 201
        client.get(EVENTS)  # the span of a request ends after its answer; the next request follows on the connection
    return [span for span in exporter.get_finished_spans() if "list" not in span.name]


def test_a_sampled_request_is_traced_to_its_commit(start_service: Start, exporter: InMemorySpanExporter) -> None:
    """Both are in the caller's trace, and the commit has a link to the request; no attribute identifies the hub."""
    with start_service(IR_TRACE_RATIO="0") as service:
        commit, request = spans_of(service, exporter, ("traceparent", SAMPLED))
        key = service.key
    assert (commit.name, request.name) == ("commit", "POST reportInteractionEvent")
    assert request.context
    assert commit.context
    assert {f"{span.context.trace_id:032x}" for span in (commit, request) if span.context} == {TRACE}
    assert request.parent
    assert f"{request.parent.span_id:016x}" == CALLER
    assert [link.context.span_id for link in commit.links] == [request.context.span_id]
    assert commit.parent
    assert commit.parent.span_id == request.context.span_id
    assert dict(commit.attributes or {}) == {
        "db.system.name": "postgresql",
        "interaction_reporting.kind": "event",
        "rows": 1,
    }
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "interaction_reporting.operation": "reportInteractionEvent",
        "interaction_reporting.contract_version": "1.1",
    }
    assert key not in request.to_json() + commit.to_json()
    assert request.start_time
    assert request.end_time
    assert commit.start_time
    assert commit.end_time
    assert request.start_time < commit.start_time < commit.end_time < request.end_time


def test_the_ratio_decides_for_other_requests(start_service: Start, exporter: InMemorySpanExporter) -> None:
    """With 1 each is traced, except those that a caller does not sample; each in a trace of its own."""
    with start_service(IR_TRACE_RATIO="1") as service:
        _, first = spans_of(service, exporter)
        _, second = spans_of(service, exporter)
        assert spans_of(service, exporter, ("traceparent", UNSAMPLED)) == []
    assert first.context
    assert second.context
    assert first.parent is None
    assert first.context.trace_id != second.context.trace_id


def test_with_the_ratio_zero_only_callers_decide(start_service: Start, exporter: InMemorySpanExporter) -> None:
    """Neither a request without the header nor one with a malformed one is traced; unset, none is at all."""
    with start_service(IR_TRACE_RATIO="0") as service:
        assert spans_of(service, exporter) == []
        assert spans_of(service, exporter, ("traceparent", UNSAMPLED)) == []
        assert spans_of(service, exporter, ("traceparent", "00-" + "x" * 2000)) == []
        assert spans_of(service, exporter, ("traceparent", SAMPLED), ("traceparent", SAMPLED)) == []
        assert len(spans_of(service, exporter, ("traceparent", SAMPLED))) == 2
    with start_service() as service:
        assert spans_of(service, exporter, ("traceparent", SAMPLED)) == []


def test_a_commit_has_a_link_to_each_request(start_service: Start, exporter: InMemorySpanExporter) -> None:
    """Of many at once, each is in exactly one commit."""
    with start_service(IR_TRACE_RATIO="1") as service, service.client() as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.post(EVENTS, json=EVENT), range(40)))
    spans = exporter.get_finished_spans()
    requests = [span.context.span_id for span in spans if span.name.startswith("POST") and span.context]
    commits = [span for span in spans if span.name == "commit"]
    assert len(requests) == 40
    assert sorted(link.context.span_id for commit in commits for link in commit.links) == sorted(requests)
    assert sum(int(str((commit.attributes or {})["rows"])) for commit in commits) == 40


@pytest.mark.parametrize(
    ("value", "parent", "is_sampled"),
    [
        (SAMPLED, Parent(int(TRACE, 16), int(CALLER, 16)), True),
        (UNSAMPLED, Parent(int(TRACE, 16), int(CALLER, 16)), False),
        (f"cc-{TRACE}-{CALLER}-03-later", Parent(int(TRACE, 16), int(CALLER, 16)), True),
        (f"{SAMPLED}-more", None, False),
        (f"ff-{TRACE}-{CALLER}-01", None, False),
        (f"00-{'0' * 32}-{CALLER}-01", None, False),
        (f"00-{TRACE}-{'0' * 16}-01", None, False),
        (SAMPLED.upper(), None, False),
        (f" {SAMPLED}", None, False),
        (f"{SAMPLED}\n", None, False),
        (f"cc-{TRACE}-{CALLER}-01-{'x' * 500}", None, False),
        ("", None, False),
    ],
)
def test_a_malformed_traceparent_is_ignored(value: str, parent: Parent | None, is_sampled: bool) -> None:
    """As W3C Trace Context has it: a later version may have more, version 00 may not."""
    assert parent_in([(b"host", b"x"), (b"traceparent", value.encode())]) == (parent, is_sampled)


def test_nothing_is_imported_while_nothing_is_traced() -> None:
    """Neither package of the extras is loaded by a worker without the settings."""
    code = "import sys, scripts.service.worker; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'starlette'" in loaded
    assert "opentelemetry" not in loaded
    assert "sentry_sdk" not in loaded


class Collector(BaseHTTPRequestHandler):
    """Takes spans by OTLP over HTTP, as a collector does."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        """Keep the request, and answer as RFC 9110 and OTLP ask."""
        self.received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def test_spans_reach_a_collector(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """By OTLP over HTTP, at the address of OpenTelemetry's own variable, with the trace of the caller and no key."""
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        with start_service(IR_TRACE_RATIO="0") as service, service.client() as client:
            answer = client.post(EVENTS, json=EVENT, headers={"traceparent": SAMPLED})
            assert answer.status_code == 201
        server.shutdown()
    ((path, body),) = Collector.received
    assert path == "/v1/traces"
    assert body.count(bytes.fromhex(TRACE)) == 3  # the request, the commit and its link
    assert b"reportInteractionEvent" in body
    assert service.key.encode() not in body


def test_an_end_does_not_wait_for_a_collector_that_is_silent(
    start_service: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not taken after a moment is lost."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with start_service(IR_TRACE_RATIO="0") as service, service.client() as client:
            assert client.post(EVENTS, json=EVENT, headers={"traceparent": SAMPLED}).status_code == 201
            stopped = time.monotonic()
    assert time.monotonic() - stopped < 8, "the exporter itself waits for ten seconds"
