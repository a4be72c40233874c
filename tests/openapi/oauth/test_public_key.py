"""Public keys that verify signatures."""

import re
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from openapi.oauth import client_assertions, jwt, public_key

KEYS: dict[str, Key] = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
    "RS256": RSAKey.generate_key(2048),
}
OTHER: dict[str, Key] = {
    "X25519": OKPKey.generate_key("X25519"),
    "X448": OKPKey.generate_key("X448"),
    "Ed448": OKPKey.generate_key("Ed448"),
    "secp256k1": ECKey.generate_key("secp256k1"),
}
CURVES = "it is neither RSA, nor EC on P-256, P-384 or P-521, nor Ed25519"
SIZE = "an RSA key has 2,048 to 4,096 bits"
ODD = "the modulus and the exponent of an RSA key are odd, and the exponent is at least 3"
EDDSA = "its alg EdDSA is not accepted: leave alg out or write Ed25519 (RFC 9864)"


def members(key: Key, **other: Any) -> dict[str, Any]:
    """The public members of `key`, and `other`."""
    return {**key.as_dict(private=False), **other}


GOOD = members(KEYS["ES256"])
PRIVATE = "its key 1 cannot verify assertions: it is private or symmetric, but must be public"


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_of_an_accepted_algorithm_has_no_fault(algorithm: str) -> None:
    """With or without saying what it is for."""
    key = KEYS[algorithm]
    assert algorithm in jwt.ALGORITHMS
    for other in ({}, {"use": "sig"}, {"alg": algorithm}, {"key_ops": ["verify"]}):
        assert public_key.fault(members(key, **other)) is None
        assert client_assertions.public_keys({"keys": [members(key, **other)]})["keys"][0]["kid"]


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        *((members(key), CURVES) for key in OTHER.values()),
        (members(KEYS["RS256"], n="_" * 170 + "w"), SIZE),
        (members(KEYS["RS256"], n="A" * 171 + "_" * 171), SIZE),
        (members(KEYS["RS256"], n="P" + "_" * 340 + "w"), SIZE),
        (members(KEYS["RS256"], n="B" + "_" * 683), SIZE),
        (members(KEYS["RS256"], n=5), SIZE),
        (members(KEYS["RS256"], n="_" * 341 + "g"), ODD),
        (members(KEYS["RS256"], e="AQ"), ODD),
        (members(KEYS["RS256"], e="BA"), ODD),
        (members(KEYS["RS256"], e="A"), ODD),
        (members(KEYS["RS256"], e="AQAAAAAAAAAB"), "the exponent of an RSA key has at most 64 bits"),
        (members(KEYS["RS256"], use="enc"), "it is not for signatures"),
        (members(KEYS["RS256"], use="enc", alg="RSA-OAEP"), "it is not for signatures"),
        (members(KEYS["ES256"], key_ops=["deriveKey"]), "it is not for signatures"),
        (members(KEYS["ES256"], key_ops="verify"), "it is not for signatures"),
        (members(KEYS["ES256"], use=["sig"]), "it is not for signatures"),
        (members(KEYS["ES256"], alg=["ES256"]), "its alg is not accepted"),
        (members(KEYS["ES256"], crv=["P-256"]), CURVES),
        ({"kid": "a"}, CURVES),
        (members(KEYS["RS256"], alg="RSA-OAEP"), "its alg is not accepted"),
        (members(KEYS["RS256"], alg="RS512"), "its alg is not accepted"),
        (members(KEYS["ES256"], alg="ES384"), "its alg is not accepted"),
        (members(KEYS["ES256"], alg="EdDSA"), "its alg is not accepted"),
        (members(KEYS["Ed25519"], alg="EdDSA"), EDDSA),
        (members(KEYS["ES256"], alg="HS256"), "its alg is not accepted"),
    ],
)
def test_a_key_that_can_never_work_is_refused(key: dict[str, Any], fault: str) -> None:
    """Its client would otherwise find out with its first assertion."""
    assert public_key.fault(key) == fault
    with pytest.raises(ValueError, match=re.escape(f"its key 2 cannot verify assertions: {fault}")):
        client_assertions.public_keys({"keys": [members(KEYS["ES256"]), key]})


@pytest.mark.parametrize(
    ("jwks", "words"),
    [
        (None, "not a JWK Set"),
        ([], "not a JWK Set"),
        ({"keys": {}}, "not a JWK Set"),
        ({"keys": [GOOD, "a"]}, "its key 2 cannot verify assertions: it is not a JSON object"),
        ({"keys": [GOOD, {**GOOD, "x": "A"}]}, "its key 2 cannot verify assertions: its members do not make a key"),
        (
            {"keys": [{"kty": "EC", "crv": "P-256"}]},
            "its key 1 cannot verify assertions: its members do not make a key",
        ),
        ({"keys": [{**GOOD, "kid": 5}]}, "its key 1 cannot verify assertions: its kid is not a string"),
        ({"keys": [GOOD, {**GOOD, "kid": "k" * 256}]}, "the kid of its key 2 has more than 255 characters"),
        ({"keys": []}, "it has no key$"),
        ({"keys": [GOOD] * 21}, "it has 21 keys, but may have at most 20"),
        ({"keys": [KEYS["ES256"].as_dict(private=True)]}, PRIVATE),
        ({"keys": [{"kty": "oct", "k": "A" * 43}]}, PRIVATE),
        *(({"keys": [members(KEYS["RS256"], **{name: "AQAB"})]}, PRIVATE) for name in ("p", "q", "dp", "dq", "qi")),
    ],
)
def test_other_sets_are_refused(jwks: Any, words: str) -> None:
    """A client must never give its private key."""
    with pytest.raises(ValueError, match=words):
        client_assertions.public_keys(jwks)
