"""A service in this process, for tests of programs with a client: it stores items once, and fails as the test orders.

It accepts whatever JSON arrives. To try what the real service accepts, run its own test hub.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast
from uuid import uuid4

from openapi.clients.python.outbox_files.items import Kind

FaultKind = Literal["status", "html", "delay", "cut_before", "cut_after", "half", "slow"]


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests; None is every request until `reset`.

    `status`: an error in the style of the service. `html`: a page of a proxy. `delay`: an answer after `seconds`.
    `cut_before` and `cut_after`: the connection ends without an answer, and the items are not stored, or are.
    `half`: half of the answer. `slow`: the answer, a byte each `seconds`.
    """

    kind: FaultKind
    times: int | None = 1
    status: int = 503
    retry_after: str = ""
    seconds: float = 1.0


class FakeHub:
    """A service on a free port of the loopback interface; a context manager."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = {kind.operation.path: kind for kind in kinds}
        self._lock = threading.Lock()
        self.accepted: dict[str, list[dict[str, Any]]] = {kind.name: [] for kind in kinds}
        """The items that are stored, by kind, in the order of their arrival."""
        self.refuse: Callable[[Mapping[str, Any]], str | None] = _accept
        """Why an item is rejected; None if it is accepted."""
        self.answer: Callable[[str, str, bytes], tuple[int, dict[str, str], bytes] | None] = _no_answer
        """The answer to a method, a path and a body: status, fields and body; None for what is usual."""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """The method, the path and the fields (by lower-case names) of each request."""
        self.received: dict[str, int] = {}
        """How often each key arrived."""
        self._stored: dict[tuple[str, str], dict[str, Any]] = {}
        self._faults: list[Fault] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def fail(self, kind: FaultKind, **fault: Any) -> None:
        """Let requests fail; the fields of `fault` are those of Fault."""
        with self._lock:
            self._faults.append(Fault(kind, **fault))

    def reset(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> "FakeHub":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def next_fault(self) -> Fault | None:
        """What is to happen to the request that arrived now."""
        with self._lock:
            fault = self._faults[0] if self._faults else None
            if fault and fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.pop(0)
        return fault

    def usual(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The answer of a service without faults."""
        if method == "POST" and path.endswith("/token"):
            return _answer(200, {"access_token": str(uuid4()), "token_type": "Bearer", "expires_in": 600})
        batch = self._kinds.get(path)
        kind = batch or self._kinds.get(f"{path}/batch")
        if method != "POST" or kind is None:
            return _answer(404, {"error": f"{method} {path} is not served", "help": "This service takes reports only."})
        try:
            given = json.loads(body)
        except ValueError:
            return _answer(400, {"error": "the body is not JSON", "help": "Send JSON."})
        if batch:
            return self._of_batch(batch, given)
        result = self._result(kind, given)
        return _answer(422 if result["status"] == "rejected" else 201, {**given, **result})

    def _of_batch(self, kind: Kind, items: list[dict[str, Any]]) -> tuple[int, dict[str, str], bytes]:
        results = [{"index": index, **self._result(kind, item)} for index, item in enumerate(items)]
        is_refused = any(result["status"] == "rejected" for result in results)
        return _answer(422 if is_refused else 200, {"results": results, "totals": {"received": len(items)}})

    def _result(self, kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
        key = str(item.get(kind.key_field) or uuid4())
        with self._lock:
            self.received[key] = self.received.get(key, 0) + 1
            if reason := self.refuse(item):
                return {"status": "rejected", "code": "refused", "error": reason, "help": "", "retry": False}
            stored = self._stored.setdefault((kind.name, key), item)
            if stored is item:
                self.accepted[kind.name].append(item)
                return {"status": "created", "id": str(uuid4())}
            if stored != item:
                return {"status": "rejected", "code": "key_reused", "error": "other content", "retry": False}
            return {"status": "duplicate", "id": str(uuid4())}


class _Server(ThreadingHTTPServer):
    """Knows its hub."""

    daemon_threads = True
    request_queue_size = 128
    hub: FakeHub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        """Read a request, and answer it or fail."""
        hub = cast("_Server", self.server).hub
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fields = {name.lower(): value for name, value in self.headers.items()}
        hub.requests.append((self.command, self.path, fields))
        fault = hub.next_fault()
        if fault and fault.kind == "cut_before":
            self.close_connection = True
            return
        if fault and fault.kind == "delay":
            time.sleep(fault.seconds)
        content = gzip.decompress(body) if fields.get("content-encoding") == "gzip" else body
        path = self.path.partition("?")[0]
        if fault and fault.kind in {"status", "html"}:
            answer = _of_fault(fault)
        else:
            answer = hub.answer(self.command, path, content) or hub.usual(self.command, path, content)
        self._write(answer, fault)

    do_GET = do_PUT = do_POST  # noqa: N815 - the names of the base class

    def _write(self, answer: tuple[int, dict[str, str], bytes], fault: Fault | None) -> None:
        status, fields, body = answer
        self.close_connection = fault is not None and fault.kind in {"cut_after", "half"}
        if fault and fault.kind == "cut_after":
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault and fault.kind == "slow":
            for index in range(len(body)):
                self.wfile.write(body[index : index + 1])
                self.wfile.flush()
                time.sleep(fault.seconds)
            return
        self.wfile.write(body[: len(body) // 2] if fault and fault.kind == "half" else body)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the name of the base class
        """Nothing is printed."""


def _answer(status: int, body: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _of_fault(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    wait = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if fault.kind == "html":
        page = f"<html><body><h1>{fault.status}</h1></body></html>"
        return fault.status, {"Content-Type": "text/html", **wait}, page.encode()
    status, fields, body = _answer(fault.status, {"error": "a fault of the test", "help": "", "code": "fault"})
    return status, {**fields, **wait}, body


def _accept(item: Mapping[str, Any]) -> str | None:  # noqa: ARG001
    return None


def _no_answer(method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:  # noqa: ARG001
    return None
