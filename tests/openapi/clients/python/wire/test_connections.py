"""Connections: to one host, with a certificate that holds, within the time, and whole answers."""

import datetime as dt
import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openapi.clients.python.errors import ClientError, Outage, UnexpectedAnswer
from openapi.clients.python.testing import FakeHub
from openapi.clients.python.wire.connections import Connections, Request
from tests.openapi.clients.python.outboxes import KIND, OPERATION, SECONDS, caller


@contextmanager
def answering(sent: bytes, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a server that sends these bytes to each client and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) if context else connection as peer:
                        peer.recv(65_536)
                        peer.sendall(sent)
                except OSError:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(SECONDS)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff" * 1000,
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
def test_17_an_answer_that_is_no_http_or_cut_off_is_an_outage(sent: bytes) -> None:
    """Never an exception of the library below."""
    with answering(sent) as url, pytest.raises(Outage):
        caller(url).call(OPERATION, [])


def test_17_an_answer_whose_head_is_cut_off_is_not_ours() -> None:
    """Its body is empty."""
    with answering(b"HTTP/1.1 200 OK\r\nContent-Le") as url, pytest.raises(UnexpectedAnswer):
        caller(url).call(OPERATION, [])


def test_17_no_service_is_an_outage() -> None:
    """Neither a port without one nor a name without an address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    for each in (url, "http://host.invalid"):
        with pytest.raises(Outage):
            caller(each).call(OPERATION, [])


def test_17_an_answer_that_drips_ends_in_time(hub: FakeHub) -> None:
    """A byte now and then does not extend the timeout."""
    hub.fail("slow", seconds=0.1)
    with pytest.raises(Outage, match="in time"):
        caller(hub.url, timeout=0.35).call(OPERATION, [{}] * 50)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_17_a_redirect_is_not_followed(hub: FakeHub, status: int) -> None:
    """Credentials go to no other host."""
    with FakeHub([KIND]) as other:
        hub.answer = lambda *_: (status, {"Location": f"{other.url}{OPERATION.path}"}, b"")
        with pytest.raises(UnexpectedAnswer) as error:
            caller(hub.url).call(OPERATION, [])
        assert error.value.status == status
        assert other.requests == []
    assert [fields["authorization"] for _, _, fields in hub.requests] == ["Bearer k"]


def certified(directory: Path) -> Path:
    """A file with a key, and a certificate for 127.0.0.1 that no authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_17_a_certificate_that_does_not_hold_is_an_outage(tmp_path: Path) -> None:
    """With the reason; also where only the name is another one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = certified(tmp_path)
    context.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=path)
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", context) as url:
        for connections in (Connections(url, 5), Connections(url, 5, trusting)):
            with pytest.raises(Outage, match="certificate of the service does not hold"):
                connections.exchange(Request("GET", "/", {}))
        trusting.check_hostname = False
        assert Connections(url, 5, trusting).exchange(Request("GET", "/", {})).json == {}


@pytest.mark.parametrize(
    "url", ["ftp://a", "http://", "//a", "http://a?b", "http://a#b", "http://u:secret@a", "http://:secret@a", "a", ""]
)
def test_what_is_no_url_of_a_service_is_refused(url: str) -> None:
    """At once, without the password that it may have."""
    with pytest.raises(ValueError, match="no URL of a service") as error:
        Connections(url, 1)
    assert "secret" not in str(error.value)


def test_a_limit_of_one_request_is_that_of_its_connection_too() -> None:
    """A connection that no process accepts is given up in time, whatever the timeout of the client is."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        failed: list[ClientError] = []

        def ask() -> None:
            try:
                Connections(f"http://127.0.0.1:{address[1]}", 600).opened(Request("GET", "/", {}), 0.2)
            except ClientError as error:
                failed.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(SECONDS)
        for each in waiting:
            each.close()
    assert [type(error) for error in failed] == [Outage]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fault", ["half", "cut_after", "html", "status", ""])
def test_connections_that_are_dropped_close_without_a_warning(hub: FakeHub, fault: str) -> None:
    """Those that wait for the next request, and those whose answer was cut off."""
    if fault:
        hub.fail(fault)  # type: ignore[arg-type] # each is one of them
    with suppress(ClientError):
        caller(hub.url).call(OPERATION, [])
    gc.collect()
    assert len(hub.requests) == 1
