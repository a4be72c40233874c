"""The scheme Basic (RFC 7617): what is a password, and what is not."""

from base64 import b64encode

import pytest

from openapi.standards import basic_authentication


def basic(credentials: str) -> bytes:
    """The field that sends `credentials`."""
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
def test_a_password_is_that_of_one_field_in_the_form_of_the_scheme(fields: list[bytes], password: bytes | None) -> None:
    """Whoever the user; everything else is none."""
    assert (
        basic_authentication.password({"type": "http", "headers": [(b"authorization", field) for field in fields]})
        == password
    )


def test_the_challenge_names_realm_and_charset() -> None:
    """In the form of section 2.1."""
    assert basic_authentication.challenge("operators") == [
        (b"www-authenticate", b'Basic realm="operators", charset="UTF-8"')
    ]
