"""The reliable sender in README stores each event once, whatever fails on the way."""

import json
import runpy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples import WIDGET
from tests.readmes import blocks
from tests.service import Service

Handler = BaseHTTPRequestHandler
Fault = Callable[[Handler, bytes, str], None]
"""Answers one request, given its body, instead of the service at a URL."""


def answer(handler: Handler, status: int, body: bytes, **headers: str) -> None:
    """Answer a request."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def forwarded(handler: Handler, body: bytes, url: str) -> httpx.Response:
    """The answer of the service to `body`."""
    headers = {name: handler.headers[name] for name in ("Authorization", "Content-Type")}
    return httpx.post(url + handler.path, content=body, headers=headers)


def pass_on(handler: Handler, body: bytes, url: str) -> None:
    """Answer as the service does."""
    response = forwarded(handler, body, url)
    answer(handler, response.status_code, response.content)


def unavailable(handler: Handler, _body: bytes, _url: str) -> None:
    """503 for the whole batch, as when the database is unavailable."""
    answer(handler, 503, b'{"error": "unavailable"}', Retry_After="7")


def rate_exceeded(handler: Handler, _body: bytes, _url: str) -> None:
    """429."""
    answer(handler, 429, b'{"error": "too many requests"}', Retry_After="3")


def bad_gateway(handler: Handler, _body: bytes, _url: str) -> None:
    """502 with HTML, as a proxy sends it."""
    answer(handler, 502, b"<html></html>", Content_Type="text/html")


def broken_before(handler: Handler, _body: bytes, _url: str) -> None:
    """The connection breaks before the service gets the request."""
    handler.close_connection = True


def broken_after(handler: Handler, body: bytes, url: str) -> None:
    """The service stores the events, and the connection breaks during its answer."""
    response = forwarded(handler, body, url)
    handler.send_response(response.status_code)
    handler.send_header("Content-Length", str(len(response.content)))
    handler.end_headers()
    handler.wfile.write(response.content[:20])
    handler.close_connection = True


def partly_stored(handler: Handler, body: bytes, url: str) -> None:
    """The service stores the first event, and reports that the others may be stored later."""
    batch = json.loads(body)
    results = forwarded(handler, json.dumps(batch[:1]).encode(), url).json()["results"]
    later = {"status": "rejected", "code": "unavailable", "error": "not now", "help": "later", "retry": True}
    results += [{"index": index, **later} for index in range(1, len(batch))]
    answer(handler, 503, json.dumps({"results": results}).encode(), Retry_After="1")


def too_large(handler: Handler, body: bytes, url: str) -> None:
    """413 for more than one event."""
    if len(json.loads(body)) > 1:
        answer(handler, 413, b'{"error": "too large"}')
    else:
        pass_on(handler, body, url)


@contextmanager
def proxy(url: str, faults: Iterator[Fault]) -> Iterator[str]:
    """The URL of a proxy in front of the service at `url`, whose answers to the first requests are `faults`."""

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            next(faults, pass_on)(self, body, url)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


Send = Callable[..., list[float]]


@pytest.fixture
def send(newest: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Run README's block through a proxy with the given faults, as the hub of `newest`; returns its pauses."""

    def run(*faults: Fault, key: str = newest.key) -> list[float]:
        (tmp_path / "hub.json").write_text(json.dumps({"api_key": key}))
        (tmp_path / "widget.json").write_text(json.dumps({"id": WIDGET}))
        (block,) = blocks("A reliable sender", "python")
        pauses: list[float] = []
        with proxy(newest.url, iter(faults)) as url, monkeypatch.context() as patched:
            (tmp_path / "sender.py").write_text(block.replace("http://127.0.0.1:8080", url))
            patched.chdir(tmp_path)
            patched.setattr(time, "sleep", pauses.append)
            runpy.run_path(str(tmp_path / "sender.py"))
        return pauses

    return run


@pytest.mark.parametrize(
    ("faults", "pauses"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([unavailable], [7], id="503"),
        pytest.param([rate_exceeded], [3], id="429"),
        pytest.param([bad_gateway, bad_gateway, bad_gateway], [1, 2, 4], id="502"),
        pytest.param([broken_before], [1], id="broken before"),
        pytest.param([broken_after, broken_after], [1, 2], id="broken after"),
        pytest.param([partly_stored], [1], id="partly stored"),
        pytest.param([too_large, too_large], [], id="413"),
    ],
)
def test_each_event_is_stored_once(
    newest: Service, send: Send, capsys: pytest.CaptureFixture[str], faults: list[Fault], pauses: list[float]
) -> None:
    """The valid event is stored once, and the invalid one printed with its remedy; pauses grow, or are Retry-After."""
    before = {event["id"] for event in newest.events()}
    assert send(*faults) == pauses
    stored = [event["event_type"] for event in newest.events() if event["id"] not in before]
    assert stored == ["viewed"]
    assert capsys.readouterr().out.startswith("click: event_type 'click' not registered: Did you mean 'clicked'? ")


def test_a_wrong_key_is_an_error(send: Send) -> None:
    """`send` raises at once, with the service's error."""
    with pytest.raises(RuntimeError, match=r"^401 .*Bearer required"):
        send(key="wrong")
