"""Each proxy alone, with its configuration of the project: which requests it sends again, and what it hides."""

import http.client
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
import pytest

from tests.examples import PATH
from tests.scripts.deploy.proxies import (
    DEPLOY,
    PROXIES,
    Proxy,
    free_port,
    haproxy,
    nginx_files,
    program,
)
from tests.waiting import wait_until

HEALTH = b"GET /health/ready "
ANSWER = b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\n{}"
KEY = {"Idempotency-Key": "6f1c"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass
class Peer:
    """An HTTP server that stands for two replicas: it is ready, and each other request gets `answer`.

    Without an answer the connection is closed once the whole request is there. `heads` has the heads of the requests.
    """

    answer: bytes = ANSWER % b"201 Created"
    heads: list[bytes] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        """Call `target` on a thread."""
        self.threads.append(thread := threading.Thread(target=target, args=[argument], daemon=True))
        thread.start()

    def serve(self, listener: socket.socket) -> None:
        """Answer the connections to `listener` until it is closed."""
        with suppress(OSError):
            while True:
                self.start(self._connection, listener.accept()[0])

    def _connection(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as received:
            while head := head_of(received):
                if head.startswith(HEALTH):
                    connection.sendall(ANSWER % b"200 OK")
                    continue
                self.heads.append(head)
                lengths = [line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-len")]
                received.read(int(lengths[0]) if lengths else 0)
                if not self.answer:
                    return
                connection.sendall(self.answer)


def head_of(received: BinaryIO) -> bytes:
    """The head of the next request, without its blank line; empty if the connection ends before that line."""
    lines = []
    while (line := received.readline()) != b"\r\n":
        if not line:
            return b""
        lines.append(line)
    return b"".join(lines)


@contextmanager
def peer(answer: bytes = ANSWER % b"201 Created") -> Iterator[Peer]:
    """A peer that listens on two ports."""
    serving = Peer(answer)
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        for listener in (first, second):
            serving.ports.append(listener.getsockname()[1])
            serving.start(serving.serve, listener)
        yield serving
        for listener in (first, second):
            listener.shutdown(socket.SHUT_RDWR)
        for thread in serving.threads:
            thread.join(10)
            assert not thread.is_alive(), "a connection of the proxy has ended, and its thread has not"


def test_haproxy_accepts_its_configuration() -> None:
    """Without a warning."""
    command = [program("haproxy"), "-c", "-f", str(DEPLOY / "haproxy.cfg")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    """Without a warning."""
    main = str(nginx_files(tmp_path, 1, 2, 3))
    command = [program("nginx"), "-t", "-q", "-p", str(tmp_path), "-e", "stderr", "-c", main]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("start", PROXIES)
@pytest.mark.parametrize("answer", [b"", ANSWER % b"503 Service Unavailable"])
def test_a_post_is_sent_again_only_with_a_key(start: Proxy, answer: bytes) -> None:
    """Whether the replica dies before its answer, or answers that it is unavailable."""
    sent = {}
    for name, headers in {"key": KEY, "none": {}}.items():
        with peer(answer) as replicas, start(*replicas.ports) as url:
            assert httpx.post(url + PATH, content=b"{}", headers=headers).status_code in (502, 503)
            sent[name] = len(replicas.heads)
    assert sent["key"] > 1
    assert sent["none"] == 1


@pytest.mark.parametrize("start", PROXIES)
def test_the_longest_event_is_sent_again(start: Proxy) -> None:
    """A body of 64 KiB fits into the buffer; nginx keeps a batch of 4 MiB, too, and HAProxy passes it on once."""
    sent = {}
    for size in (64 * 1024, 4 * 1024 * 1024):
        with peer(b"") as replicas, start(*replicas.ports) as url:
            httpx.post(url + PATH, content=b"x" * size, headers=KEY, timeout=60)
            sent[size] = len(replicas.heads)
    assert sent[64 * 1024] > 1
    assert sent[4 * 1024 * 1024] >= 1
    assert (sent[4 * 1024 * 1024] == 1) == (start is haproxy)


@pytest.mark.parametrize("start", PROXIES)
def test_a_request_that_any_replica_can_answer_is_sent_again_to_it(start: Proxy) -> None:
    """A GET needs no key; nor does a POST that could not be sent at all."""
    with peer() as replicas, start(replicas.ports[0], free_port()) as url:
        assert [httpx.post(url + PATH, content=b"{}").status_code for _ in range(4)] == [201] * 4
    with peer(b"") as replicas, start(*replicas.ports) as url:
        httpx.get(url + PATH)
        assert len(replicas.heads) > 1


@pytest.mark.parametrize("start", PROXIES)
def test_health_and_metrics_are_hidden(start: Proxy) -> None:
    """However the path is spelt, if the service would understand it; other paths arrive as they are sent."""
    hidden = ["/metrics", "/metrics?x=1", "/metrics/", "/%6Detrics", "//metrics", "/health/live", "/h%65alth/ready"]
    seen = ["/contracts?x=%2F", "/api/v1/%61b%20c//d"]
    with peer() as replicas, start(*replicas.ports) as url:
        assert [status(url, path) for path in [*hidden, "http://service/metrics"]] == [404] * (len(hidden) + 1)
        assert replicas.heads == []
        assert [status(url, path) for path in [*seen, "http://service/contracts"]] == [201] * 3
    assert [head.split()[1].decode() for head in replicas.heads[:2]] == seen
    assert replicas.heads[2].split()[1] in (b"/contracts", b"http://service/contracts")


def status(url: str, target: str) -> int:
    """The status of a GET for `target`, sent as it is."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    try:
        connection.request("GET", target)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("start", PROXIES)
def test_a_client_cannot_invent_its_address(start: Proxy) -> None:
    """The service gets the address that the proxy sees, the host that the client named, and the key."""
    claims = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "Host": "reporting.example"} | KEY
    with peer() as replicas, start(*replicas.ports) as url:
        assert httpx.get(url + "/contracts", headers=claims).status_code == 201
    lines = replicas.heads[0].decode().lower().splitlines()
    assert [line for line in lines if "forwarded" in line] == ["x-forwarded-for: 127.0.0.1"]
    assert {"host: reporting.example", "idempotency-key: 6f1c"} <= set(lines)


@pytest.mark.parametrize("start", PROXIES)
def test_a_stream_arrives_while_the_hub_sends_it(start: Proxy) -> None:
    """The replica has the head before the body ends; without that the proxy would collect up to 4 GiB."""
    with peer() as replicas, start(*replicas.ports) as url:

        def lines() -> Iterator[bytes]:
            yield b"{}\n"
            wait_until(lambda: replicas.heads, 10)
            yield b"{}\n"

        response = httpx.post(url + PATH, content=lines(), headers=NDJSON, timeout=60)
    assert response.status_code == 201


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that refuses connections, and that no other program gets."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.mark.parametrize("start", PROXIES)
def test_an_error_of_the_proxy_is_json(start: Proxy) -> None:
    """With no replica at all a hub gets what it gets from the service: a 503 with an error, a help and Retry-After."""
    with deaf_port() as first, deaf_port() as second, start(first, second) as url:
        response = httpx.post(url + PATH, json={})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json().keys() == {"error", "help"}
