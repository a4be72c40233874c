"""Access tokens that a worker has verified, and how long it relies on them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from handlers.security import access_tokens, issuers
from handlers.security.access_tokens import AccessTokens
from handlers.security.issuers import Issuers, IssuerUnavailable
from handlers.security.signing_keys import FileKeys
from openapi.oauth import jwk
from openapi.oauth import jwt as oauth_jwt
from openapi.oauth.access_tokens import Grant
from openapi.oauth.jwt import InvalidToken
from tests.issuer import Server

pytest_plugins = ["tests.issuer"]

OURS = "https://api.example"


def with_tokens(directory: Path, issuer: str, use: Callable[[AccessTokens], Awaitable[None]]) -> None:
    """Run `use` with tokens of our own, whose key is in a file, and of the issuer at the URL `issuer`."""
    path = directory / "keys.json"
    path.write_text(json.dumps({"keys": [jwk.new().as_dict(private=True)]}))

    async def run() -> None:
        async with Issuers([issuer]) as trusted:
            await use(AccessTokens(OURS, 60, FileKeys(path), trusted))

    asyncio.run(run())


def foreign(issuer: str, key: ECKey, **claims: Any) -> str:
    """A token of another issuer."""
    now = time.time()
    standard = {"iss": issuer, "aud": OURS, "sub": "s", "client_id": "c", "jti": "1", "iat": now, "exp": now + 7200}
    header = {"alg": "ES256", "typ": "at+jwt", **({"kid": key.kid} if key.kid else {})}
    return jwt.encode(header, standard | claims, key)


def test_a_verified_token_is_known(server: Server, tmp_path: Path) -> None:
    """By its own text, whatever header carried it; another token is not."""

    async def use(tokens: AccessTokens) -> None:
        text = await tokens.issue(Grant(OURS, [OURS], "client", ["events:write"]))
        assert tokens.known(text.encode()) is None
        access = await tokens.access(text)
        assert tokens.known(text.encode()) is access
        assert tokens.known(text[:-1].encode()) is None

    with_tokens(tmp_path, server.url, use)


def test_a_token_is_relied_on_for_a_limited_time(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that it is verified again; an expired one is neither known nor valid."""

    async def use(tokens: AccessTokens) -> None:
        monkeypatch.setattr(access_tokens, "LONGEST_SECONDS", 0.0)
        text = await tokens.issue(Grant(OURS, [OURS], "client", ["events:write"]))
        assert await tokens.access(text)
        assert tokens.known(text.encode()) is None
        monkeypatch.setattr(access_tokens, "LONGEST_SECONDS", 3600.0)
        monkeypatch.setattr(oauth_jwt, "LEEWAY_SECONDS", 1.5)
        tokens.seconds = 0
        text = await tokens.issue(Grant(OURS, [OURS], "client", ["events:write"]))
        assert await tokens.access(text)  # by the leeway
        await asyncio.sleep(1.6)
        assert tokens.known(text.encode()) is None
        with pytest.raises(InvalidToken, match="it has expired"):
            await tokens.access(text)

    with_tokens(tmp_path, server.url, use)


@pytest.mark.parametrize("jump", [60.0, 3600.0, 86_400.0 * 56])
def test_a_token_is_relied_on_as_of_now(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """After a clock jumped and was set right, one from the jump is not valid yet, and one from before is still good."""
    true_time = time.time

    async def use(tokens: AccessTokens) -> None:
        before = await tokens.issue(Grant(OURS, [OURS], "client", ["events:write"]))
        assert await tokens.access(before)
        monkeypatch.setattr(time, "time", lambda: true_time() + jump)
        ahead = await tokens.issue(Grant(OURS, [OURS], "client", ["events:write"]))
        access = await tokens.access(ahead)
        assert tokens.known(ahead.encode()) is access
        monkeypatch.setattr(time, "time", true_time)
        assert tokens.known(ahead.encode()) is None
        with pytest.raises(InvalidToken, match=r"it is not valid yet|it expires in more than 86400 seconds"):
            await tokens.access(ahead)
        assert tokens.known(before.encode())

    with_tokens(tmp_path, server.url, use)


def test_a_token_of_another_issuer_is_known_as_long_as_its_key(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the issuer has withdrawn the key that signed it, it is refused, however long it would last."""
    first, second = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("1", "2"))
    server.publish(first, second)

    async def use(tokens: AccessTokens) -> None:
        texts = [foreign(server.url, key) for key in (first, second)]
        accesses = [await tokens.access(text) for text in texts]
        assert [tokens.known(text.encode()) for text in texts] == accesses
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        server.publish(second)
        with pytest.raises(InvalidToken, match="its issuer has no key with its kid"):  # which asks the issuer
            await tokens.access(foreign(server.url, ECKey.generate_key("P-256", {"kid": "3"})))
        assert [tokens.known(text.encode()) for text in texts] == [None, accesses[1]]
        with pytest.raises(InvalidToken, match="its issuer has no key with its kid"):
            await tokens.access(texts[0])

    with_tokens(tmp_path, server.url, use)


def test_a_key_that_took_over_a_kid_is_followed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as a token that it signed comes, but no sooner than the floor; a forged token stays refused."""
    first, second, forger = (ECKey.generate_key("P-256", {"kid": "1"}) for _ in range(3))
    server.publish(first)

    async def use(tokens: AccessTokens) -> None:
        old, new, forged = (foreign(server.url, key) for key in (first, second, forger))
        assert await tokens.access(old)
        server.publish(second)
        for text in (new, forged):
            with pytest.raises(InvalidToken, match="its signature cannot be verified"):
                await tokens.access(text)
        assert server.asked["/keys"] == 1
        monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
        assert await tokens.access(new)
        assert server.asked["/keys"] == 2
        assert tokens.known(old.encode()) is None
        with pytest.raises(InvalidToken, match="its signature cannot be verified"):
            await tokens.access(forged)
        server.answers.clear()
        with pytest.raises(IssuerUnavailable):  # it may have another key by now
            await tokens.access(old)

    with_tokens(tmp_path, server.url, use)


def test_a_token_without_kid_needs_the_only_key_for_its_alg(server: Server, tmp_path: Path) -> None:
    """Its issuer may give its only key no `kid`; with two keys it must say which."""
    key = ECKey.generate_key("P-256")
    server.publish(key)

    async def use(tokens: AccessTokens) -> None:
        text = foreign(server.url, key)
        access = await tokens.access(text)
        assert tokens.known(text.encode()) is access

    with_tokens(tmp_path, server.url, use)
    server.publish(key, ECKey.generate_key("P-256"))

    async def refused(tokens: AccessTokens) -> None:
        with pytest.raises(InvalidToken, match="it has no kid, and its issuer has not exactly one key for its alg"):
            await tokens.access(foreign(server.url, key))

    with_tokens(tmp_path, server.url, refused)


def test_the_oldest_tokens_are_forgotten(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter at a time, beyond the limit."""
    monkeypatch.setattr(access_tokens, "MOST", 8)

    async def use(tokens: AccessTokens) -> None:
        texts = [await tokens.issue(Grant(OURS, [OURS], str(number), [])) for number in range(9)]
        for text in texts:
            await tokens.access(text)
        assert [tokens.known(text.encode()) is not None for text in texts] == [False] * 2 + [True] * 7

    with_tokens(tmp_path, server.url, use)
