"""Bearer tokens: the header that carries one, and the challenge without one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Scope

from openapi.oauth import bearer
from openapi.problems import Problem


def scope(*authorizations: bytes) -> Scope:
    """A request with these Authorization headers, and with tokens in places that do not count."""
    return {
        "type": "http",
        "query_string": b"access_token=of-the-query",
        "headers": [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"cookie", b"access_token=of-the-cookie"),
            (b"proxy-authorization", b"Bearer of-the-proxy"),
            *((b"authorization", value) for value in authorizations),
        ],
    }


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        pytest.param(b"Bearer irk_aZ-09._~+/", "irk_aZ-09._~+/", id="each character that may be"),
        pytest.param(b"Bearer abc==", "abc==", id="padding"),
        pytest.param(b"bearer abc", "abc", id="lower case"),
        pytest.param(b"BEARER abc", "abc", id="upper case"),
        pytest.param(b"Bearer    abc", "abc", id="several spaces"),
        pytest.param(b" \tBearer abc ", "abc", id="white space around"),
        pytest.param(b"Bearer " + b"a" * 16384, "a" * 16384, id="the longest"),
    ],
)
def test_a_token_is_taken_from_the_authorization_header(authorization: bytes, token: str) -> None:
    """Each form that RFC 6750 section 2.1 allows gives its token."""
    assert bearer.token(scope(authorization)) == token


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"Bearer", id="no token"),
        pytest.param(b"Bearer ", id="no token after the space"),
        pytest.param(b"abc", id="no scheme"),
        pytest.param(b"Basic abc", id="another scheme"),
        pytest.param(b"Bearerabc", id="no space"),
        pytest.param(b"Bearer\tabc", id="a tab for the space"),
        pytest.param(b"Bearer abc def", id="two tokens"),
        pytest.param(b"Bearer abc, Bearer abc", id="two credentials"),
        pytest.param(b"Bearer =abc", id="padding first"),
        pytest.param(b'Bearer "abc"', id="quotes"),
        pytest.param(b"Bearer abc\x00", id="a NUL"),
        pytest.param(b"Bearer \xc3\xa9", id="no ASCII"),
    ],
)
def test_a_malformed_header_is_an_invalid_request(authorization: bytes) -> None:
    """Any other form is refused as RFC 6750 section 3.1 says, without repeating it."""
    with pytest.raises(Problem) as caught:
        bearer.token(scope(authorization))
    assert caught.value.code == "unauthorized"
    challenge = (
        b'Bearer realm="interaction-reporting", error="invalid_request", '
        b'error_description="the Authorization header is not of the form: Bearer <hub-api-key>"'
    )
    assert caught.value.headers == [(b"www-authenticate", challenge)]


def test_a_request_without_credentials_gets_a_plain_challenge() -> None:
    """Tokens in other places are ignored, and the challenge has no error code (section 3.1)."""
    with pytest.raises(Problem) as caught:
        bearer.token(scope())
    assert caught.value.headers == [(b"www-authenticate", b'Bearer realm="interaction-reporting"')]


def test_a_key_in_a_field_of_its_own_is_named() -> None:
    """The description says where it belongs, as for any other wrong form, and does not repeat it."""
    with pytest.raises(Problem) as caught:
        bearer.token({"type": "http", "headers": [(b"x-api-key", b"secret")]})
    challenge = (
        b'Bearer realm="interaction-reporting", error="invalid_request", '
        b'error_description="X-API-Key is not read; send Authorization: Bearer <hub-api-key>"'
    )
    assert caught.value.headers == [(b"www-authenticate", challenge)]


def test_two_headers_are_refused_even_if_they_are_equal() -> None:
    """The service never guesses which of two headers counts."""
    with pytest.raises(Problem) as caught:
        bearer.token(scope(b"Bearer abc", b"Bearer abc"))
    assert b'error_description="more than one Authorization header"' in caught.value.headers[0][1]


@settings(deadline=None)
@given(st.binary() | st.text("Bearerbasic =,abc\t\u00e9").map(str.encode))
def test_no_header_raises_anything_else(authorization: bytes) -> None:
    """A header gives a token of ASCII without spaces, or a Problem."""
    try:
        token = bearer.token(scope(authorization))
    except Problem:
        return
    assert token.isascii()
    assert authorization.strip().endswith(b" " + token.encode())
    assert not {*token} & {*" \t\r\n,"}
