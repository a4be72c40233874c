"""The reliable sender in README stores each event once, whatever fails on the way."""

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from openapi.contract import Contract
from openapi.generate.client_operations import client_model
from openapi.generate.languages.packages import npm_tarball, python_wheel
from tests.examples import NEWEST, WIDGET
from tests.readmes import blocks
from tests.service import CONTRACTS, Service

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
    names = ("Authorization", "Content-Type", "Content-Encoding")
    headers = {name: handler.headers[name] for name in names if name in handler.headers}
    return httpx.post(url + handler.path, content=body, headers=headers)


def pass_on(handler: Handler, body: bytes, url: str) -> None:
    """Answer as the service does."""
    response = forwarded(handler, body, url)
    answer(handler, response.status_code, response.content)


def unavailable(handler: Handler, _body: bytes, _url: str) -> None:
    """503 for the whole batch, as when the database is unavailable."""
    answer(handler, 503, b'{"error": "unavailable"}', Retry_After="1")


def rate_exceeded(handler: Handler, _body: bytes, _url: str) -> None:
    """429."""
    answer(handler, 429, b'{"error": "too many requests"}', Retry_After="1")


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


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the clients of the newest contract of version 1, for Python and for Node.js."""
    directory = tmp_path_factory.mktemp("package")
    unpacked(CONTRACTS[NEWEST], directory)
    return directory


def unpacked(contract: Contract, directory: Path) -> None:
    """Unpack the clients of `contract` for Python and for Node.js into `directory`."""
    model = client_model(contract)
    with zipfile.ZipFile(io.BytesIO(python_wheel(model).content)) as wheel:
        wheel.extractall(directory)  # noqa: S202 - made here
    with tarfile.open(fileobj=io.BytesIO(npm_tarball(model).content)) as tarball:
        tarball.extractall(directory / "node_modules", filter="data")
    (directory / "node_modules" / "package").rename(directory / "node_modules" / "interaction-reporting-client")


Send = Callable[..., str]
PROGRAMS = {"python": ("sender.py", [sys.executable, "-W", "error"]), "js": ("sender.mjs", ["node"])}
"""By language: the name of the file, and what runs it."""


@pytest.fixture(params=PROGRAMS)
def send(request: pytest.FixtureRequest, newest: Service, package: Path, tmp_path: Path) -> Send:
    """Run README's block through a proxy with the given faults, as the hub of `newest`; returns what it prints.

    Its second event is of a type that is not registered.
    """
    name, command = PROGRAMS[request.param]
    (tmp_path / "node_modules").symlink_to(package / "node_modules")

    def run(*faults: Fault, key: str = newest.key, patience: str = "30") -> str:
        (tmp_path / "hub.json").write_text(json.dumps({"api_key": key}))
        (tmp_path / "widget.json").write_text(json.dumps({"id": WIDGET}))
        (block,) = blocks("A reliable sender", request.param)
        block = (
            block.replace('"clicked"', '"click"')
            .replace("timeout=30", f"timeout={patience}")
            .replace("30_000", f"{patience}e3")
        )
        with proxy(newest.url, iter(faults)) as url:
            (tmp_path / name).write_text(block.replace("http://127.0.0.1:8080", url))
            ran = subprocess.run(
                [*command, name],
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": str(package)},
                capture_output=True,
                text=True,
                check=False,
            )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([], id="nothing"),
        pytest.param([unavailable], id="503"),
        pytest.param([rate_exceeded], id="429"),
        pytest.param([bad_gateway, bad_gateway], id="502"),
        pytest.param([broken_before], id="broken before"),
        pytest.param([broken_after], id="broken after"),
        pytest.param([partly_stored], id="partly stored"),
        pytest.param([too_large, too_large], id="413"),
    ],
)
def test_each_event_is_stored_once(newest: Service, send: Send, faults: list[Fault]) -> None:
    """The valid event is stored once, and the invalid one printed with its remedy."""
    before = {event["id"] for event in newest.events()}
    printed = send(*faults)
    stored = [event["event_type"] for event in newest.events() if event["id"] not in before]
    assert stored == ["viewed"]
    counts, refusal = printed.split("\n", 1)
    assert counts.strip() == "sent 1, refused 1, pending 0"
    assert refusal.startswith("click: event_type 'click' not registered: Did you mean 'clicked'? ")


def test_a_wrong_key_loses_nothing(newest: Service, send: Send) -> None:
    """The events wait in the file, and the program sends them as soon as it has the right key."""
    before = {event["id"] for event in newest.events()}
    assert send(key="wrong", patience="0.5").startswith("sent 0, refused 0, pending 2 ")
    assert {event["id"] for event in newest.events()} == before
    assert "\nclick: event_type 'click' not registered" in send()
    assert len(newest.events()) == len(before) + 2
