"""Proofs of possession: those that prove that a sender has the key of its token, and those that do not."""

import hashlib
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from starlette.types import Scope

from openapi.oauth import dpop
from openapi.oauth.jwt import InvalidToken

ORIGIN = "https://api.example"
TOKEN = "a.b.c"
ATH = urlsafe_b64encode(hashlib.sha256(TOKEN.encode()).digest()).rstrip(b"=").decode()
KEY = ECKey.generate_key("P-256")
_ALGORITHMS = {"EC": "ES256", "RSA": "PS256", "OKP": "Ed25519"}


def scope(*proofs: str | bytes, path: bytes = b"/api/v2/interaction-events", method: str = "POST") -> Scope:
    """A request with each of `proofs` in its own header."""
    values = [proof if isinstance(proof, bytes) else proof.encode() for proof in proofs]
    return {"method": method, "raw_path": path, "headers": [(b"dpop", value) for value in values]}


def proof(key: Key = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A proof for the request and the token; None omits a claim or a header member."""
    standard = {
        "jti": "one",
        "htm": "POST",
        "htu": f"{ORIGIN}/api/v2/interaction-events",
        "iat": int(time.time()),
        "ath": ATH,
    }
    algorithm = _ALGORITHMS.get(key.key_type, "HS256")
    public = {} if key.key_type == "oct" else key.as_dict(private=False)
    head = {"typ": "dpop+jwt", "alg": algorithm, "jwk": public, **(header or {})}
    head, payload = (
        {name: value for name, value in part.items() if value is not None} for part in (head, {**standard, **claims})
    )
    registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
    return jwt.encode(head, payload, key, registry=registry, default_type=None)


def unsigned(header: dict[str, Any]) -> str:
    """A proof with `header` and an invalid signature."""
    parts = [json.dumps(part).encode() for part in ({"typ": "dpop+jwt", **header}, {"jti": "one"})]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"signature"))


@pytest.mark.parametrize("key", [KEY, RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")])
def test_a_proof_has_the_thumbprint_of_its_key(key: Key) -> None:
    """The thumbprint (RFC 7638), the id, and the time until which a replay is possible."""
    result = dpop.proof(scope(proof(key)), ORIGIN, TOKEN)
    assert (result.thumbprint, result.jti) == (key.thumbprint(), "one")
    assert 0 < result.expires_at - time.time() <= 71


@pytest.mark.parametrize(
    ("htu", "path"),
    [
        ("HTTPS://API.example:443/api/v2/interaction-events", b"/api/v2/interaction-events"),
        ("https://api.example/api/v2/interaction-events?a=b#c", b"/api/v2/interaction-events"),
        ("https://api.example/api/v2/%69nteraction-events", b"/api/v2/interaction-events"),
        ("https://api.example/api/v2/interaction-events", b"/api/v2/%69nteraction-events"),
        ("https://api.example", b"/"),
        ("https://api.example/a%2fb", b"/a%2Fb"),
    ],
)
def test_a_url_may_be_written_in_several_ways(htu: str, path: bytes) -> None:
    """Query and fragment are ignored (section 4.3)."""
    assert dpop.proof(scope(proof(htu=htu), path=path), ORIGIN, TOKEN).jti == "one"


def test_a_proof_at_the_token_endpoint_needs_no_token() -> None:
    """Without a token, `ath` is not required."""
    assert dpop.proof(scope(proof(ath=None)), ORIGIN).jti == "one"
    assert dpop.is_sent(scope("a"))
    assert not dpop.is_sent(scope())


REFUSED: dict[str, tuple[Callable[[], Scope], str]] = {
    "none": (scope, "there is no proof"),
    "two": (lambda: scope(proof(), proof()), "more than one"),
    "too long": (lambda: scope(proof(padding="a" * 5000)), "too long"),
    "no JWT": (lambda: scope("a"), "not a JWS"),
    "no text": (lambda: scope(b"\xff.\xff.\xff"), "not a JWS"),
    "of another type": (lambda: scope(proof(header={"typ": "JWT"})), "typ is not dpop"),
    "of no type": (lambda: scope(proof(header={"typ": None})), "typ is not dpop"),
    "of no key": (lambda: scope(proof(header={"jwk": None})), "no public key"),
    "of a key by name": (lambda: scope(unsigned({"alg": "ES256", "jwk": "one"})), "no public key"),
    "with a private key": (lambda: scope(proof(header={"jwk": KEY.as_dict(private=True)})), "no public key"),
    "with a key off the curve": (
        lambda: scope(proof(header={"jwk": {**KEY.as_dict(private=False), "x": "AAAA"}})),
        "no public key",
    ),
    "with half a key": (lambda: scope(proof(header={"jwk": {"kty": "EC", "crv": "P-256"}})), "no public key"),
    "with a secret": (
        lambda: scope(proof(OctKey.generate_key(256), {"jwk": {"kty": "oct", "k": "YWJj"}})),
        "no public key",
    ),
    "with a list for a kty": (lambda: scope(unsigned({"alg": "ES256", "jwk": {"kty": ["EC"]}})), "no public key"),
    "alg none": (lambda: scope(unsigned({"alg": "none", "jwk": KEY.as_dict(private=False)})), "alg is not accepted"),
    "HS256": (
        lambda: scope(proof(OctKey.generate_key(256), {"jwk": KEY.as_dict(private=False)})),
        "alg is not accepted",
    ),
    "by another key": (
        lambda: scope(proof(header={"jwk": ECKey.generate_key("P-256").as_dict(private=False)})),
        "signature cannot be verified",
    ),
    "by a key of another kind": (
        lambda: scope(proof(header={"jwk": RSAKey.generate_key(2048).as_dict(private=False)})),
        "signature cannot be verified",
    ),
    "of a curve that is not accepted": (
        lambda: scope(proof(ECKey.generate_key("P-384"), {"alg": "ES384"})),
        "alg is not accepted",
    ),
    "for another method": (lambda: scope(proof(htm="GET")), "another method"),
    "for a method in lower case": (lambda: scope(proof(htm="post")), "another method"),
    "for another path": (lambda: scope(proof(htu=f"{ORIGIN}/api/v2/annotations")), "another URL"),
    "for another host": (lambda: scope(proof(htu="https://evil.example/api/v2/interaction-events")), "another URL"),
    "for another scheme": (lambda: scope(proof(htu="http://api.example/api/v2/interaction-events")), "another URL"),
    "for another port": (lambda: scope(proof(htu=f"{ORIGIN}:8443/api/v2/interaction-events")), "another URL"),
    "for no URL": (lambda: scope(proof(htu="https://[")), "is not a URL"),
    "for a URL that is no text": (lambda: scope(proof(htu=5)), "the claim htu"),
    "for no URL at all": (lambda: scope(proof(htu=None)), "the claim htu"),
    "for another token": (lambda: scope(proof(ath="another")), "another token"),
    "for no token": (lambda: scope(proof(ath=None)), "another token"),
    "old": (lambda: scope(proof(iat=int(time.time()) - 71)), "within the last 70 seconds"),
    "of the future": (lambda: scope(proof(iat=int(time.time()) + 20)), "more than 10 seconds ahead"),
    "of no time": (lambda: scope(proof(iat=None)), "the claim iat"),
    "of a time that is none": (lambda: scope(proof(iat=True)), "the claim iat"),
    "without jti": (lambda: scope(proof(jti=None)), "the claim jti"),
    "with a long jti": (
        lambda: scope(proof(jti="a" * 256)),
        "the claim jti is missing or not a string of 1 to 255 char",
    ),
    "with an empty jti": (lambda: scope(proof(jti="")), "the claim jti"),
    "with an extension": (lambda: scope(unsigned({"alg": "ES256", "crit": ["a"], "a": 1})), "not supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_proof_is_refused(name: str) -> None:
    """InvalidToken has the reason."""
    request, words = REFUSED[name]
    with pytest.raises(InvalidToken, match=words):
        dpop.proof(request(), ORIGIN, TOKEN)


@pytest.mark.parametrize("leeway", [0, 30])
def test_the_operator_sets_the_leeway(leeway: int) -> None:
    """At both ends of the period; the use of a proof is remembered until no clock accepts it."""
    for issued_at in (time.time() + leeway, time.time() - 59 - leeway):
        result = dpop.proof(scope(proof(iat=issued_at)), ORIGIN, TOKEN, leeway)
        assert result.expires_at == issued_at + 60 + leeway
    for issued_at, words in (
        (time.time() + leeway + 2, f"its iat is more than {leeway} seconds ahead"),
        (time.time() - 61 - leeway, f"not made within the last {60 + leeway} seconds"),
    ):
        with pytest.raises(InvalidToken, match=words):
            dpop.proof(scope(proof(iat=issued_at)), ORIGIN, TOKEN, leeway)


@pytest.mark.parametrize(
    ("modulus", "words"),
    [
        (b"\xff" * 128, "2,048 to 4,096 bits"),
        (b"\xff" * 1024, "2,048 to 4,096 bits"),
        (b"\0" * 128 + b"\xff" * 128, "2,048 to 4,096 bits"),
        (b"\xff" * 255 + b"\xfe", "are odd"),
    ],
)
def test_a_key_has_a_sensible_size(modulus: bytes, words: str) -> None:
    """A short key proves nothing, and a long one takes long: the size is checked before the key is used."""
    number = urlsafe_b64encode(modulus).rstrip(b"=").decode()
    header = {"alg": "RS256", "jwk": {"kty": "RSA", "e": "AQAB", "n": number}}
    started = time.perf_counter()
    with pytest.raises(InvalidToken, match=words):
        dpop.proof(scope(unsigned(header)), ORIGIN, TOKEN)
    assert time.perf_counter() - started < 1
