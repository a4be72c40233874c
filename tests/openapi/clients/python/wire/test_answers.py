"""What the header fields and the body of an answer mean, whatever is in them."""

import gzip
import time

import pytest

from openapi.clients.python.errors import ApiError, ClientError, Outage, UnexpectedAnswer
from openapi.clients.python.wire.answers import TRANSIENT, Answer, decoded, failure, seconds, value

PAGE = b"<html><body><h1>Service Unavailable</h1></body></html>"


def at(ahead: float) -> str:
    """A date that is so many seconds ahead."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + ahead))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        pytest.param("9" * 400, 3600.0, id="many digits"),
        pytest.param(at(-1000), 0.0, id="a date that has passed"),
        pytest.param(at(10**8), 3600.0, id="a date in years"),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("\u0663", None),
        ("", None),
        ("soon", None),
        ("\ud800", None),
        (f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT", None),
        (f"Mon, 01 Jan 2026 00:00:00 +{'9' * 30}", None),
        ("Mon, 32 Jan 2026 25:61:00 GMT", None),
    ],
)
def test_14_retry_after_is_read_or_ignored(text: str, expected: float | None) -> None:
    """Seconds or a date, at most an hour; rubbish is None, not an exception."""
    assert seconds(text) == expected


def test_14_retry_after_may_be_a_date() -> None:
    """It is seconds from now."""
    ahead = seconds(at(100))
    assert ahead is not None
    assert 90 < ahead <= 100


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 502, 503, 504, 599])
def test_17_a_page_of_a_proxy_is_an_error_with_its_status(status: int) -> None:
    """It has the first bytes of the page and `Retry-After`; it is an Outage where the same request may pass."""
    error = failure(Answer(status, {"retry-after": "7"}, PAGE * 100))
    assert isinstance(error, UnexpectedAnswer)
    assert isinstance(error, Outage) is (status in TRANSIENT)
    assert (error.status, error.retry_after) == (status, 7.0)
    assert error.text == (PAGE * 100)[:500].decode()


@pytest.mark.parametrize("body", [b"", PAGE, b"[", b"\xff", b"[" * 100_000, b"null"])
def test_17_a_success_that_is_no_json_is_an_error(body: bytes) -> None:
    """Not an exception of a library."""
    with pytest.raises(UnexpectedAnswer):
        value(Answer(200, {}, body))


@pytest.mark.parametrize("body", [b'{"error": "e"}', b'{"type": "t", "title": "t", "status": "x"}', b'{"results": []}'])
@pytest.mark.parametrize("status", [400, 418, 429, 500, 503])
def test_18_an_error_of_the_service_may_have_a_status_of_any_number(body: bytes, status: int) -> None:
    """It is an ApiError with its members, however many are new."""
    error = failure(Answer(status, {"x-request-id": "r"}, body))
    assert isinstance(error, ApiError)
    assert (error.status, error.request_id) == (status, "r")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "e", "errors": "many", "results": {"a": 1}, "code": 7, "help": null, "pointer": []}',
        b'{"error": "e", "errors": [1], "detail": {"a": 1}, "type": 3}',
        b'{"error": "e", "errors": [{"pointer": null}], "results": null}',
    ],
)
def test_18_members_of_another_type_never_raise(body: bytes) -> None:
    """The error has what it can."""
    error = failure(Answer(422, {}, body))
    assert isinstance(error, ApiError)
    assert str(error).startswith("422")
    assert error.results is None


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(b"{}", mtime=0)[:-1], "gzip"),
        (gzip.compress(b"{}", mtime=0)[:5], "gzip"),
        (b"", "gzip"),
        (b"{}", "gzip"),
        (gzip.compress(bytes(2000), mtime=0), "gzip"),
        (b"{}", "br"),
    ],
)
def test_17_a_coding_that_does_not_hold_is_an_outage(body: bytes, coding: str) -> None:
    """Cut off, none, a bomb, or unknown."""
    with pytest.raises(Outage):
        decoded(body, coding, 1000)


def test_a_401_says_what_is_wrong_with_the_credentials() -> None:
    """The words of the challenge, where the body has none."""
    challenge = 'Bearer realm="r", error="invalid_token", error_description="the key was replaced"'
    error = failure(Answer(401, {"www-authenticate": challenge}, b'{"error": "Authorization: Bearer required"}'))
    assert isinstance(error, ApiError)
    assert error.help == "the key was replaced"
    assert str(error) == "401 Authorization: Bearer required. the key was replaced"


def test_every_error_is_a_client_error() -> None:
    """One class catches all of them."""
    assert issubclass(ApiError, ClientError)
    assert issubclass(Outage, UnexpectedAnswer)
    assert issubclass(UnexpectedAnswer, ClientError)
