"""JSON Web Tokens: reading and verifying them."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from joserfc.jwt import encode

from openapi.oauth import jwt
from openapi.oauth.jwt import InvalidToken, Token

KEY = ECKey.generate_key("P-256")
NOW = 1_700_000_000.0
LONGEST = 600


def signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token signed by KEY; None omits a header member."""
    head = {
        name: value for name, value in {"alg": "ES256", "typ": "a+jwt", **(header or {})}.items() if value is not None
    }
    return encode(head, claims, KEY, default_type=None)


def parts(*values: Any) -> str:
    """A token of these parts; bytes are used as they are, other values as JSON."""
    encoded = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in encoded)


def test_a_token_is_read_and_verified() -> None:
    """Its type is compared without regard to case, with `application/` before it or not (RFC 7515 section 4.1.9)."""
    for written in ("a+jwt", "A+JWT", "application/a+jwt"):
        token = jwt.read(signed({"typ": written, "kid": "one"}, sub="b"), "a+jwt")
        jwt.verify(token, KEY, ["ES256"])
        assert (token.algorithm, token.key_id, token.text_claim("sub")) == ("ES256", "one", "b")


def test_a_type_may_be_absent_if_allowed() -> None:
    """Another type is never accepted."""
    assert jwt.read(signed({"typ": None}), "jwt", or_none=True).header == {"alg": "ES256"}
    for text in (signed({"typ": None}), signed({"typ": "jwt"})):
        with pytest.raises(InvalidToken, match=r"its typ is not a\+jwt"):
            jwt.read(text, "a+jwt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "compact serialization"),
        ("a.b", "compact serialization"),
        ("aa.bb.cc.dd", "compact serialization"),
        ("aa.bb.c c", "compact serialization"),
        ("aa=.bb.cc", "compact serialization"),
        ("ää.bb.cc", "compact serialization"),
        ("a" * 5000 + ".bb.cc", "compact serialization"),
        ("a.bb.cc", "compact serialization"),
        (parts({"typ": "a+jwt"}, b"\xff", b"c"), "reads in only one way"),
        (parts(b'{"typ": "a+jwt", "typ": "a+jwt"}', {}, b"c"), "reads in only one way"),
        (parts({"typ": "a+jwt"}, b"[" * 10_000, b"c"), "reads in only one way"),
        (parts({"typ": "a+jwt"}, b'{"exp": NaN}', b"c"), "reads in only one way"),
        (parts({"typ": "a+jwt"}, [1], b"c"), "not a JSON object"),
        (parts({"typ": ["a+jwt"]}, {}, b"c"), "its typ is not"),
        (parts({"typ": "a+jwt", "crit": []}, {}, b"c"), "an extension"),
        (parts({"typ": "a+jwt", "b64": True}, {}, b"c"), "an extension"),
    ],
)
def test_a_malformed_token_is_not_read(text: str, words: str) -> None:
    """InvalidToken has a reason that repeats nothing of it."""
    with pytest.raises(InvalidToken, match=words):
        jwt.read(text, "a+jwt")


def test_a_signature_must_match_the_key_and_an_accepted_algorithm() -> None:
    """A key that does not suit the algorithm is refused, too."""
    token = jwt.read(signed(), "a+jwt")
    for key, algorithms, words in (
        (ECKey.generate_key("P-256"), ["ES256"], "cannot be verified: BadSignatureError"),
        (RSAKey.generate_key(2048), ["ES256"], "cannot be verified"),
        (KEY, ["RS256"], "its alg is not accepted"),
        (KEY, [], "its alg is not accepted"),
    ):
        with pytest.raises(InvalidToken, match=words):
            jwt.verify(token, key, algorithms)
    for algorithm in (None, ["ES256"], 5, "none"):
        forged = Token(token.text, {**token.header, "alg": algorithm}, token.claims)
        with pytest.raises(InvalidToken, match="its alg is not accepted"):
            jwt.verify(forged, KEY, jwt.ALGORITHMS)


def test_no_accepted_algorithm_is_symmetric() -> None:
    """Otherwise a holder of the public key could sign tokens."""
    assert not {name for name in jwt.ALGORITHMS if name.startswith("HS") or name == "none"}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW - 4}, None),
        ({"exp": NOW + 4, "nbf": NOW + 4, "iat": NOW + 4}, None),
        ({"exp": NOW + 3, "iat": NOW + 4}, "its iat is after its exp"),
        ({"exp": NOW - 3, "iat": NOW - 2}, "its iat is after its exp"),
        ({"exp": NOW + LONGEST + 5}, None),
        ({"exp": NOW + LONGEST + 6}, "it expires in more than 600 seconds"),
        ({"exp": NOW - 5}, "it has expired"),
        ({"exp": NOW + 1, "nbf": NOW + 6}, "it is not valid yet"),
        ({"exp": NOW + 1, "iat": NOW + 6}, "it is not valid yet"),
        ({}, "the claim exp is missing or not a NumericDate"),
        *(
            ({"exp": value}, "the claim exp is missing or not a NumericDate")
            for value in ("1", None, True, -1, 1e300, [1])
        ),
        ({"exp": NOW + 1, "nbf": "now"}, "the claim nbf is missing or not a NumericDate"),
    ],
)
def test_a_token_is_valid_from_its_beginning_to_its_end(claims: dict[str, Any], words: str | None) -> None:
    """The limits have a few seconds of tolerance for different clocks."""
    token = Token("", {}, claims)
    if words is None:
        jwt.require_times(token, NOW, LONGEST)
    else:
        with pytest.raises(InvalidToken, match=words):
            jwt.require_times(token, NOW, LONGEST)


def test_claims_are_checked_for_their_types() -> None:
    """`aud` may be a string or an array, and values that are not strings are ignored.

    A wrong text claim raises InvalidToken.
    """
    assert Token("", {}, {"aud": "a"}).audiences == ["a"]
    assert Token("", {}, {"aud": ["a", 5, "b"]}).audiences == ["a", "b"]
    assert Token("", {}, {"aud": {"a": "b"}}).audiences == Token("", {}, {}).audiences == []
    for value in (None, 5, "", "a" * 11, ["a"]):
        with pytest.raises(InvalidToken, match="the claim a is missing or not a string"):
            Token("", {}, {"a": value}).text_claim("a", longest=10)
    assert Token("", {}, {"a": "b" * 10}).text_claim("a", longest=10) == "b" * 10
    assert time.time() < jwt.LATEST
