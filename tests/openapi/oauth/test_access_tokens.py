"""Access tokens: what they say, and what is taken from them."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from openapi.oauth import access_tokens, jwk
from openapi.oauth.access_tokens import Access, Grant
from openapi.oauth.jwt import InvalidToken

KEY = jwk.new()
ISSUER = "https://api.example"


def read(text: str, key: ECKey = KEY) -> Access:
    """What `text` says now."""
    return access_tokens.verified(access_tokens.read(text), key, ["ES256"], time.time())


def other(**claims: Any) -> str:
    """A token that another issuer might have made; None leaves a claim out."""
    standard = {"iss": ISSUER, "aud": "a", "client_id": "c", "exp": time.time() + 60}
    told = {name: value for name, value in {**standard, **claims}.items() if value is not None}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, told, KEY)


def test_what_is_granted_is_what_is_read() -> None:
    """For one audience or several, bound to a key or not; no two tokens are the same."""
    for audiences, thumbprint in ((["a"], None), (["a", "b"], "thumb")):
        grant = Grant(ISSUER, audiences, "client", {"write", "read"}, thumbprint)
        texts = [access_tokens.signed(KEY, grant, 60) for _ in range(2)]
        access, again = map(read, texts)
        assert (access.issuer, access.client_id) == (ISSUER, "client")
        assert (access.audiences, access.scopes) == (frozenset(audiences), frozenset({"read", "write"}))
        assert access.thumbprint == thumbprint
        assert 55 < access.expires_at - time.time() <= 60
        assert access.jti is not None
        assert access.jti != again.jti


def test_a_token_of_another_issuer_may_say_less() -> None:
    """Who its client is may stand in `azp`, its id may be any text, and it may have no scope."""
    access = read(other(client_id=None, azp="them", jti="not a UUID"))
    assert (access.client_id, access.jti, access.scopes, access.thumbprint) == ("them", None, frozenset(), None)
    assert read(other(scope=["a"])).scopes == frozenset()
    assert len(read(other(scope=" ".join(str(number) for number in range(500)))).scopes) == access_tokens.MOST_SCOPES


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": 1}, "it has expired"),
        ({"iss": None}, "the claim iss"),
        ({"client_id": None}, "the claim azp"),
        ({"client_id": 5}, "the claim client_id"),
        ({"cnf": {"x5t#S256": "a"}}, "bound to a key in a way that is not understood"),
        ({"cnf": "a"}, "bound to a key in a way that is not understood"),
        ({"cnf": {"jkt": 5}}, "bound to a key in a way that is not understood"),
    ],
)
def test_what_is_not_valid_gives_no_access(claims: dict[str, Any], words: str) -> None:
    """Nor what is signed by another key, or is no access token."""
    with pytest.raises(InvalidToken, match=words):
        read(other(**claims))
    with pytest.raises(InvalidToken, match="its signature"):
        read(other(), jwk.new())
    with pytest.raises(InvalidToken, match="its typ"):
        access_tokens.read(jwt.encode({"alg": "ES256"}, {}, KEY))
