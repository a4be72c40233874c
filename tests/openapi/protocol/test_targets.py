"""Targets of requests in every form of RFC 9112, and what each of them names."""

import json
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.protocol import targets
from tests.examples import PATH
from tests.service import Service
from tests.wire import HOST, Wire, event, head, stored

pytest_plugins = ["tests.service"]

AUTHORITIES = (
    *("h", "H.Example", "h.", "h:8080", "h:", "h:0", "h:00080", "h:065535", "my_service:8080", "_h_", "a~b", "h%2Dx"),
    *("127.0.0.1:80", "[::1]", "[::1]:8080", "[::1]:", "[fe80::1%25eth0]", "[v1.a:b]", "u@h", "u:p@h:", "@h", "%41@h"),
)
MALFORMED_AUTHORITIES = (
    *("", ":80", "u@", "%", "h%2", "h:99999", "h:65536", "h:" + "9" * 5000, "h:8a", "h:-1", "h:+1", "h:80:80", "u@v@h"),
    *("::1", "[]", "[::1", "::1]", "[::1]x", "[g]", "[v.a]", "h\\", "h|", 'h"', "h\xe9", "h<"),
)


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    """A connection to the shared service."""
    with Wire(service) as wire:
        yield wire


@pytest.mark.parametrize("authority", AUTHORITIES)
@pytest.mark.parametrize("scheme", ["http", "HTTPS", "coap+tcp"])
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", (b"/", b"")),
        ("?", (b"/", b"")),
        ("?a=/b?c", (b"/", b"a=/b?c")),
        ("#f", (b"/", b"")),
        ("/", (b"/", b"")),
        ("/a%20b/@:?q#f?", (b"/a%20b/@:", b"q")),
    ],
)
def test_an_absolute_target_names_its_path(
    authority: str, scheme: str, rest: str, expected: tuple[bytes, bytes]
) -> None:
    """Whichever server it names; an empty path is that of the root (RFC 9110 section 4.2.3)."""
    assert targets.parts(b"GET", f"{scheme}://{authority}{rest}".encode("ascii")) == expected


@pytest.mark.parametrize("authority", MALFORMED_AUTHORITIES)
@pytest.mark.parametrize("rest", ["", "/a"])
def test_a_malformed_authority_is_refused(authority: str, rest: str) -> None:
    """An http URI without a host is invalid (RFC 9110 section 4.2.1), and so is one that RFC 3986 does not allow."""
    target = f"http://{authority}{rest}".encode("latin-1")
    with pytest.raises(ValueError, match="none of the forms"):
        targets.parts(b"GET", target)
    assert targets.path_of(target) == ""


@pytest.mark.parametrize(
    "target", ["", "*a", "**", "*?a", "*/a", "h:80", "?a", "a/b", "http:/a", "http:a", "1http://h"]
)
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS"])
def test_a_target_of_no_form_is_refused(target: str, method: bytes) -> None:
    """It begins neither with a slash nor with a scheme."""
    with pytest.raises(ValueError, match="none of the forms"):
        targets.parts(method, target.encode("ascii"))


@pytest.mark.parametrize("authority", AUTHORITIES)
def test_options_may_be_for_the_server_as_a_whole(authority: str) -> None:
    """With the target `*`, or with an absolute one that has neither path nor query (RFC 9112 section 3.2.4)."""
    target = f"http://{authority}".encode("ascii")
    assert targets.parts(b"OPTIONS", b"*") == targets.parts(b"OPTIONS", target) == (b"*", b"")
    assert targets.parts(b"OPTIONS", target + b"/") == (b"/", b"")
    assert targets.parts(b"OPTIONS", target + b"?a") == (b"/", b"a")


@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD", b"DELETE", b"options"])
def test_no_other_method_is_for_the_server_as_a_whole(method: bytes) -> None:
    """The asterisk belongs to OPTIONS."""
    with pytest.raises(ValueError, match="none of the forms"):
        targets.parts(method, b"*")


class Received:
    """Keeps the target that httptools reports."""

    target = b""

    def on_url(self, part: bytes) -> None:
        """Called with each part of a target."""
        self.target += part


@given(st.text("/?#ab:@%[]\\'\"<>{}|^`*~=&;\x7f\x80", max_size=12))
def test_a_path_is_read_as_httptools_reads_it(rest: str) -> None:
    """Any target that begins with a slash and passes its parser."""
    target, received = b"/" + rest.encode("latin-1"), Received()
    with suppress(httptools.HttpParserError):
        httptools.HttpRequestParser(received).feed_data(b"GET " + target + b" HTTP/1.1\r\n\r\n")
    if received.target == target:
        url = httptools.parse_url(target)
        assert targets.parts(b"GET", target) == (url.path, url.query or b"")


@pytest.mark.parametrize("authority", AUTHORITIES)
def test_an_event_to_an_absolute_target_is_stored(wire: Wire, service: Service, authority: str) -> None:
    """As a client sends it that takes the service for a proxy."""
    mark = f"/tests/{uuid4()}"
    wire.send(wire.post(event(mark), line=f"POST http://{authority}{PATH} HTTP/1.1"))
    assert wire.answer().status_code == 201
    assert stored(service, mark) == 1


@pytest.mark.parametrize("target", ["http://h", "http://h?x=1", "HTTP://my_service:", "http://[::1]:80"])
def test_an_absolute_target_without_a_path_is_the_root(wire: Wire, target: str) -> None:
    """404, because the API is elsewhere, on a connection that remains usable."""
    for _ in range(2):
        wire.send(head(f"GET {target} HTTP/1.1", HOST))
        assert wire.answer().status_code == 404


@pytest.mark.parametrize("target", ["*", "http://h", "http://h:", "HTTP://my_service:8080", "http://[::1]:80"])
def test_options_for_the_server_as_a_whole_are_answered(wire: Wire, target: str) -> None:
    """204 without a body, and the next answer follows it."""
    wire.send(head(f"OPTIONS {target} HTTP/1.1", HOST), head("GET / HTTP/1.1", HOST, "Connection: close"))
    first, second, _ = wire.rest().split(b"\r\n\r\n")
    lines = first.decode("ascii").lower().split("\r\n")
    assert lines[0] == "http/1.1 204 no content"
    assert {"x-request-id"} <= {line.partition(":")[0] for line in lines}
    assert not {"allow", "content-length", "transfer-encoding"} & {line.partition(":")[0] for line in lines}
    assert second.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("target", ["/api/v2/x", "/%61pi/v2/x", "http://h/api/v2/x", "http://my_service:/api/v2"])
def test_a_refusal_has_the_error_format_of_the_path(newest: Service, target: str) -> None:
    """In each form of the target: problem details where version 2 is."""
    with Wire(newest) as wire:
        wire.send(head(f"GET {target} HTTP/1.1"))
        lines, _, body = wire.rest().partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in lines
    assert json.loads(body)["type"].endswith("/problems/malformed_request")
