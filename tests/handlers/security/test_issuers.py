"""Other issuers: discovery of their keys, the rate of requests to them, and the keys that are accepted."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from handlers.security import issuers
from handlers.security.issuers import Issuers, IssuerUnavailable, is_secure
from openapi.oauth.jwt import Token
from tests.issuer import METADATA, OPENID, Server

pytest_plugins = ["tests.issuer"]


def key(kid: str) -> ECKey:
    """A key to sign with."""
    return ECKey.generate_key("P-256", {"kid": kid})


def token(kid: str | None, algorithm: str = "ES256") -> Token:
    """A token that names the key `kid`, if not None."""
    return Token("", {"alg": algorithm, **({"kid": kid} if kid is not None else {})}, {})


def with_issuers(url: str, use: Callable[[Issuers], Awaitable[None]]) -> None:
    """Run `use` with the issuer at `url`."""

    async def run() -> None:
        async with Issuers([url]) as trusted:
            await use(trusted)

    asyncio.run(run())


async def kid_of(trusted: Issuers, url: str, kid: str) -> Any:
    """The id of the key found for `kid`, or None."""
    public_key = await trusted.key(url, token(kid))
    return public_key and public_key.kid


@pytest.mark.parametrize(
    ("base", "path"),
    [("", METADATA), ("", OPENID), ("/realms/a", f"{METADATA}/realms/a"), ("/realms/a", f"/realms/a{OPENID}")],
)
def test_keys_are_discovered(server: Server, base: str, path: str) -> None:
    """From the metadata of RFC 8414 section 3, else from that of OpenID Connect; one request for all known keys."""
    url = server.url + base
    server.publish(key("a"), key("b"), path=path, issuer=url)

    async def use(trusted: Issuers) -> None:
        assert url in trusted
        assert f"{url}/" not in trusted
        assert list(trusted) == [url]
        assert [await kid_of(trusted, url, kid) for kid in ("a", "b", "a")] == ["a", "b", "a"]

    with_issuers(url, use)
    assert server.asked["/keys"] == 1


def test_unknown_keys_cause_no_request_within_the_floor(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """For any number of tokens with unknown keys, concurrent or consecutive."""
    server.publish(key("a"))

    async def use(trusted: Issuers) -> None:
        keys = await asyncio.gather(*(trusted.key(server.url, token(f"unknown-{number}")) for number in range(500)))
        assert set(keys) == {None}
        for number in range(50):
            assert await trusted.key(server.url, token(f"again-{number}")) is None
        assert server.asked == {METADATA: 1, "/keys": 1}
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        assert await trusted.key(server.url, token("once more")) is None
        assert server.asked == {METADATA: 2, "/keys": 2}

    with_issuers(server.url, use)


def test_a_rotated_key_is_followed_and_the_old_one_dropped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as a token names the new key; a withdrawn key is also dropped after a while."""
    monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
    server.publish(key("a"))

    async def use(trusted: Issuers) -> None:
        assert await kid_of(trusted, server.url, "a") == "a"
        server.publish(key("b"))
        assert await kid_of(trusted, server.url, "a") == "a"
        assert await kid_of(trusted, server.url, "b") == "b"
        assert await kid_of(trusted, server.url, "a") is None
        server.publish(key("c"))
        assert await kid_of(trusted, server.url, "b") == "b"
        monkeypatch.setattr(issuers, "FRESH_SECONDS", 0.0)
        assert await kid_of(trusted, server.url, "b") is None

    with_issuers(server.url, use)


def test_the_keys_of_an_unreachable_issuer_are_used_for_a_while(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its known keys are used; after that, or without known keys, it is unavailable, and seldom asked."""
    monkeypatch.setattr(issuers, "FRESH_SECONDS", 0.0)
    server.publish(key("a"))

    async def use(trusted: Issuers) -> None:
        assert await kid_of(trusted, server.url, "a") == "a"
        server.answers.clear()
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        assert await kid_of(trusted, server.url, "a") == "a"
        with pytest.raises(IssuerUnavailable):
            await trusted.key(server.url, token("b"))
        monkeypatch.setattr(issuers, "STALE_SECONDS", 0.0)
        with pytest.raises(IssuerUnavailable, match="the keys of"):
            await trusted.key(server.url, token("a"))

    with_issuers(server.url, use)
    server.asked.clear()

    async def never(trusted: Issuers) -> None:
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 10.0)
        monkeypatch.setattr(issuers, "STALE_SECONDS", 3600.0)
        for _ in range(5):
            with pytest.raises(IssuerUnavailable):
                await trusted.key(server.url, token("a"))

    with_issuers(server.url, never)
    assert server.asked[METADATA] == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"keys": []},
        {"error": "temporarily unavailable"},
        {"keys": [{"kty": "OKP", "crv": "X25519", "kid": "a", "x": "A" * 43}]},
        (200, {}, b"<html>"),
        (500, {}, b"{}"),
    ],
    ids=["no key", "an error", "no usable key", "HTML", "500"],
)
def test_an_answer_without_keys_leaves_the_known_ones(
    server: Server, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    """It says nothing about other keys either: they are unavailable, which is not the same as unknown."""
    server.publish(key("a"))

    async def use(trusted: Issuers) -> None:
        known = await trusted.key(server.url, token("a"))
        assert known
        assert await trusted.key(server.url, token("b")) is None
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        server.answers["/keys"] = answer
        for _ in range(2):
            with pytest.raises(IssuerUnavailable):
                await trusted.key(server.url, token("b"))
        assert await trusted.key(server.url, token("a")) is known
        server.publish(key("b"))
        assert await kid_of(trusted, server.url, "b") == "b"

    with_issuers(server.url, use)


def test_known_keys_are_used_while_a_silent_issuer_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only for a moment does a token wait, in case that the issuer answers: then a withdrawn key is refused at once."""
    server.publish(key("a"))

    async def use(trusted: Issuers) -> None:
        known = await trusted.key(server.url, token("a"))
        assert known
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        monkeypatch.setattr(issuers, "FRESH_SECONDS", 0.01)
        await asyncio.sleep(0.02)
        server.seconds = 0.9
        asked = server.asked[METADATA]
        while server.asked[METADATA] == asked:
            assert await trusted.key(server.url, token("a")) is known
        for _ in range(20):
            assert await trusted.key(server.url, token("a")) is known
            assert trusted.holds(server.url, known)
        assert server.asked[METADATA] == asked + 1  # all of these were answered while the issuer was silent

    with_issuers(server.url, use)


def test_a_key_holds_as_long_as_its_issuer_has_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if it is published again; not once another key has its id."""
    first = key("a")
    server.publish(first)

    async def use(trusted: Issuers) -> None:
        known = await trusted.key(server.url, token("a"))
        assert known
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        server.publish(first, key("b"))
        assert await trusted.key(server.url, token("b"))
        assert trusted.holds(server.url, known)
        server.publish(key("a"))
        assert await trusted.key(server.url, token("c")) is None
        assert not trusted.holds(server.url, known)

    with_issuers(server.url, use)


def test_a_slow_issuer_does_not_delay_other_requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that needs the issuer waits a limited time; other requests do not wait."""
    monkeypatch.setattr(issuers, "TIMEOUT_SECONDS", 1.0)
    server.publish(key("a"))
    server.seconds = 3.0

    async def use(trusted: Issuers) -> None:
        started = time.monotonic()
        waiting = asyncio.create_task(trusted.key(server.url, token("a")))
        await asyncio.sleep(0.05)
        assert time.monotonic() - started < 0.5
        with pytest.raises(IssuerUnavailable):
            await waiting
        assert time.monotonic() - started < 2.5

    with_issuers(server.url, use)


HOSTILE: dict[str, dict[str, Any]] = {
    "another issuer": {METADATA: {"issuer": "https://other.example", "jwks_uri": "https://other.example/keys"}},
    "keys without TLS": {METADATA: {"jwks_uri": "http://other.example/keys"}},
    "keys in a file": {METADATA: {"jwks_uri": "file:///etc/passwd"}},
    "keys nowhere": {METADATA: {}},
    "keys that are no text": {METADATA: {"jwks_uri": 5}},
    "a list": {METADATA: []},
    "no JSON": {METADATA: (200, {}, b"<html>")},
    "deep": {METADATA: (200, {}, b"[" * 100_000)},
    "huge": {METADATA: (200, {}, b'{"a": "' + b"a" * 1_000_000 + b'"}')},
    "a bomb": {METADATA: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"[" + b" " * 10_000_000 + b"]"))},
    "a redirect": {METADATA: (302, {"Location": "http://169.254.169.254/latest"}, b"")},
    "an error": {METADATA: (500, {}, b"{}")},
    "no keys": {"/keys": {"keys": "a"}},
    "keys that are none": {"/keys": {"keys": ["a", None, {"kty": "EC"}, {"kty": "EC", "kid": "a", "crv": "P-256"}]}},
    "a name twice": {"/keys": (200, {}, b'{"keys": [], "keys": []}')},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_issuer_gives_no_key(server: Server, name: str) -> None:
    """Nor an unexpected error, nor a key of another issuer."""
    server.publish(key("other"))
    for path, answer in HOSTILE[name].items():
        is_metadata = path == METADATA and isinstance(answer, dict)
        server.answers[path] = {"issuer": server.url, **answer} if is_metadata else answer

    async def use(trusted: Issuers) -> None:
        with suppress(IssuerUnavailable):
            assert await trusted.key(server.url, token("a")) is None

    with_issuers(server.url, use)


def test_only_public_verification_keys_are_accepted(server: Server) -> None:
    """A private key counts as unknown; of two keys with one id, one is accepted."""
    ed, rsa = OKPKey.generate_key("Ed25519", {"kid": "ed"}), RSAKey.generate_key(2048, {"kid": "rsa"})
    bad = [
        key("private").as_dict(private=True),
        {**key("encrypts").as_dict(private=False), "use": "enc"},
        {**key("a").as_dict(private=False), "kid": 5},
        {"kty": "oct", "kid": "secret", "k": "YWJjYWJjYWJjYWJjYWJjYWJjYWJj"},
        {"kty": "RSA", "kid": "huge", "e": "AQAB", "n": "_" * 3000},
        {"kty": "RSA", "kid": "small", "e": "AQAB", "n": "_" * 100},
        {"kty": ["RSA"], "kid": "odd"},
    ]
    server.publish(*bad, ed, rsa, key("twice"), key("twice"), *(key(f"many-{number}") for number in range(60)))

    async def use(trusted: Issuers) -> None:
        for kid in ("private", "encrypts", "5", "secret", "huge", "small", "odd", "many-59"):
            assert await trusted.key(server.url, token(kid)) is None
        for kid in ("ed", "rsa", "twice", "many-1"):
            public_key = await trusted.key(server.url, token(kid))
            assert public_key is not None
            assert not public_key.is_private

    with_issuers(server.url, use)


def test_a_token_without_kid_uses_the_only_key_for_its_alg(server: Server) -> None:
    """Whether the key has a `kid` or not; a `kid` that no key has is never ignored."""
    ec, rsa = ECKey.generate_key("P-256"), RSAKey.generate_key(2048, {"kid": "rsa", "alg": "PS256"})
    server.publish(ec, rsa, *(OKPKey.generate_key("Ed25519", {"kid": kid}) for kid in ("x", "y")))

    async def use(trusted: Issuers) -> None:
        for algorithm, thumbprint in (("ES256", ec.thumbprint()), ("PS256", rsa.thumbprint())):
            found = await trusted.key(server.url, token(None, algorithm))
            assert found
            assert found.thumbprint() == thumbprint
        for other in (token(None, "Ed25519"), token(None, "RS256"), token("a"), token("")):
            assert await trusted.key(server.url, other) is None

    with_issuers(server.url, use)


@pytest.mark.parametrize(
    "answer", [(200, {}, b"<html>"), (200, {}, b""), [], {"error": "not found"}, (404, {}, b"")], ids=str
)
def test_a_page_for_any_path_does_not_hide_the_other_metadata(server: Server, answer: Any) -> None:
    """Some issuers answer 200 at any path, with a page of theirs."""
    server.publish(key("a"), path=OPENID)
    server.answers[METADATA] = answer

    async def use(trusted: Issuers) -> None:
        assert await kid_of(trusted, server.url, "a") == "a"

    with_issuers(server.url, use)


@pytest.mark.parametrize("name", ["use", "alg", "key_ops", "kid"])
def test_a_member_that_is_null_counts_as_absent(server: Server, name: str) -> None:
    """Some issuers write each member that they know."""
    server.publish({**ECKey.generate_key("P-256").as_dict(private=False), name: None})

    async def use(trusted: Issuers) -> None:
        assert await trusted.key(server.url, token(None))

    with_issuers(server.url, use)


def test_the_log_says_which_keys_are_not_used(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Once for each answer: those beyond the limit; or what is wrong with the first, if there is no other."""

    async def use(trusted: Issuers) -> None:
        for _ in range(3):
            with suppress(IssuerUnavailable):
                await trusted.key(server.url, token("many-0"))

    server.publish(*(key(f"many-{number}") for number in range(51)))
    with_issuers(server.url, use)
    assert [record.message for record in caplog.records if "only its first 50 are used" in record.message] == [
        f"the issuer {server.url} has 51 keys: only its first 50 are used"
    ]
    server.publish({**OKPKey.generate_key("Ed25519").as_dict(private=False), "alg": "EdDSA"})
    with_issuers(server.url, use)
    assert "no key that verifies signatures: key 1: its alg EdDSA is not accepted" in caplog.text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://issuer.example", True),
        ("http://127.0.0.1:9", True),
        ("http://localhost/a", True),
        ("http://[::1]:9", True),
        ("http://issuer.example", False),
        ("http://127.0.0.1.issuer.example", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("https://[", False),
        ("https://issuer.example:65536", False),
        ("https://issuer.example:0", False),
        ("issuer.example", False),
    ],
)
def test_a_url_is_secure_with_tls_or_on_this_machine(url: str, expected: bool) -> None:
    """Whatever the host name looks like."""
    assert is_secure(url) is expected
