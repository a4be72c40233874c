"""Access tokens: writing, reading and verifying them."""

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
    """The access that the token `text` grants now."""
    return access_tokens.verified(access_tokens.read(text), key, ["ES256"], time.time())


def other(**claims: Any) -> str:
    """A token as another issuer might write it; None omits a claim."""
    now = time.time()
    standard = {"iss": ISSUER, "aud": "a", "sub": "s", "client_id": "c", "jti": "1", "iat": now, "exp": now + 60}
    present = {name: value for name, value in {**standard, **claims}.items() if value is not None}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, present, KEY)


def test_a_signed_grant_is_read_back() -> None:
    """For one audience or several, bound to a key or not; each token has its own jti."""
    for audiences, thumbprint in ((["a"], None), (["a", "b"], "thumb")):
        grant = Grant(ISSUER, audiences, "client", {"write", "read"}, thumbprint)
        texts = [access_tokens.signed(KEY, grant, 60) for _ in range(2)]
        first, second = map(read, texts)
        assert (first.issuer, first.client_id) == (ISSUER, "client")
        assert (first.audiences, first.scopes) == (frozenset(audiences), frozenset({"read", "write"}))
        assert first.thumbprint == thumbprint
        assert 55 < first.expires_at - time.time() <= 60
        assert first.jti is not None
        assert first.jti != second.jti


def test_a_token_of_another_issuer_may_have_fewer_claims() -> None:
    """`azp` may name the client, the id may be any text, and the scope may be absent."""
    access = read(other(client_id=None, azp="them", jti="not a UUID"))
    assert (access.client_id, access.jti, access.scopes, access.thumbprint) == ("them", None, frozenset(), None)
    assert read(other(scope=["a"])).scopes == frozenset()
    assert len(read(other(scope=" ".join(str(number) for number in range(500)))).scopes) == 500


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": 1}, "it has expired"),
        ({"exp": 253402300799}, "it expires in more than 86400 seconds"),
        ({"iss": None}, "the claim iss"),
        ({"sub": None}, "the claim sub"),
        ({"sub": ["client"]}, "the claim sub"),
        ({"sub": ""}, "the claim sub"),
        ({"iat": None}, "the claim iat"),
        ({"jti": None}, "the claim jti"),
        ({"jti": 5}, "the claim jti"),
        ({"client_id": None}, "the claim azp"),
        ({"client_id": 5}, "the claim client_id"),
        ({"cnf": {"x5t#S256": "a"}}, "bound to a key by an unsupported confirmation method"),
        ({"cnf": "a"}, "bound to a key by an unsupported confirmation method"),
        ({"cnf": {"jkt": 5}}, "bound to a key by an unsupported confirmation method"),
    ],
)
def test_an_invalid_token_gives_no_access(claims: dict[str, Any], words: str) -> None:
    """Nor does a token signed by another key, or a JWT that is no access token."""
    with pytest.raises(InvalidToken, match=words):
        read(other(**claims))
    with pytest.raises(InvalidToken, match="its signature"):
        read(other(), jwk.new())
    with pytest.raises(InvalidToken, match="its typ"):
        access_tokens.read(jwt.encode({"alg": "ES256"}, {}, KEY))
