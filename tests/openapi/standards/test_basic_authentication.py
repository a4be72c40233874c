"""The Basic scheme (RFC 7617): which headers carry a password."""

from base64 import b64encode

import pytest

from openapi.standards import basic_authentication


def basic(credentials: str) -> bytes:
    """The value of an Authorization header with `credentials`."""
    return b"Basic " + b64encode(credentials.encode())


@pytest.mark.parametrize(
    ("fields", "password"),
    [
        ([basic("Aladdin:open sesame")], b"open sesame"),  # the example of section 2
        ([basic("test:123\u00a3")], "123\u00a3".encode()),  # and that of section 2.1
        ([b" bAsIc   " + basic("a:b")[6:] + b" "], b"b"),
        ([basic("a:b:c")], b"b:c"),
        ([basic(":")], b""),
        ([], None),
        ([basic("a:b"), basic("a:b")], None),
        ([basic("a")], None),
        ([b"Basic"], None),
        ([b"Basic YTpi!"], None),
        ([b"Basic YTp"], None),
        ([b"Bearer YTpi"], None),
        ([b"Basic YTpi YTpi"], None),
    ],
)
def test_a_password_comes_from_a_single_well_formed_header(fields: list[bytes], password: bytes | None) -> None:
    """Whatever the user name; None in all other cases."""
    assert (
        basic_authentication.password({"type": "http", "headers": [(b"authorization", field) for field in fields]})
        == password
    )


def test_the_challenge_names_realm_and_charset() -> None:
    """In the form of section 2.1."""
    assert basic_authentication.challenge("operators") == [
        (b"www-authenticate", b'Basic realm="operators", charset="UTF-8"')
    ]
