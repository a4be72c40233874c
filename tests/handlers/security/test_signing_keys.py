"""Storage of signing keys: encrypted in the database, or in a file."""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psycopg
import pytest
from joserfc.jwk import ECKey

from handlers.security.signing_keys import FileKeys
from openapi.oauth.jwk import UnreadableKey
from tests.service import Service
from tests.tokens import bearer, client_of, post
from tests.waiting import wait_until

SECRET = "A" * 43
OTHER = "B" * 42 + "A"

Start = Callable[..., AbstractContextManager[Service]]


def kids(service: Service) -> list[str]:
    """The ids of the published keys."""
    return [key["kid"] for key in httpx.get(f"{service.url}/oauth/jwks").json()["keys"]]


def stored(service: Service) -> list[str]:
    """The keys in the database."""
    with psycopg.connect(service.database_url) as connection:
        return [text for (text,) in connection.execute("SELECT key FROM oauth_signing_keys").fetchall()]


def write(path: Path, *keys: ECKey) -> None:
    """Write `keys` to a file."""
    path.write_text(json.dumps({"keys": [key.as_dict(private=True) for key in keys]}))


def test_keys_are_sealed_with_the_secret(start_service: Start) -> None:
    """A service that starts later with the same secret reads them."""
    with start_service(IR_OAUTH_KEY_SECRET=SECRET) as service:
        token = client_of(service).token()
        assert post(service, bearer(token)).status_code == 201
        (text,) = stored(service)
        assert text.count(".") == 4
        published = kids(service)
    with start_service(IR_OAUTH_KEY_SECRET=SECRET) as service:
        assert kids(service) == published


def test_with_another_secret_a_new_key_is_made(start_service: Start, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the unreadable key once, without its content; a service with the old secret still uses it."""
    with start_service(IR_OAUTH_KEY_SECRET=SECRET) as service:
        before = kids(service)
    with start_service(IR_OAUTH_KEY_SECRET=OTHER) as service:
        logging.getLogger().addHandler(caplog.handler)  # a service that starts removes it
        assert post(service, bearer(client_of(service).token())).status_code == 201
        (after,) = kids(service)
        assert after not in before
        encrypted, _ = stored(service)
    (message,) = [record.getMessage() for record in caplog.records if "signing key" in record.getMessage()]
    assert message == f"the signing key {before[0]} cannot be read: it was encrypted with another secret"
    assert encrypted.rpartition(".")[2] not in caplog.text
    with start_service(IR_OAUTH_KEY_SECRET=SECRET) as service:
        assert kids(service) == before


def test_many_first_tokens_make_one_key(start_service: Start) -> None:
    """For any number of concurrent requests."""
    with start_service() as service, ThreadPoolExecutor(8) as threads:
        assert stored(service) == []
        assert len({*threads.map(lambda _: tuple(kids(service)), range(16))}) == 1
        assert len(stored(service)) == 1


def test_keys_in_a_file_are_followed(start_service: Start, tmp_path: Path) -> None:
    """The first signs, all verify; an unreadable file changes nothing, and the database has no key."""
    first, second = ECKey.generate_key("P-256", auto_kid=True), ECKey.generate_key("P-256", auto_kid=True)
    path = tmp_path / "keys.json"
    write(path, first)
    with start_service(IR_OAUTH_KEYS_FILE=str(path)) as service:
        client = client_of(service)
        old = client.token()
        assert kids(service) == [first.kid]
        write(path, second, first)
        wait_until(lambda: kids(service) == [second.kid, first.kid])
        new = client.token()
        assert {post(service, bearer(token)).status_code for token in (old, new)} == {201}
        path.write_text("nothing")
        time.sleep(0.6)
        assert kids(service) == [second.kid, first.kid]
        write(path, second)
        wait_until(lambda: post(service, bearer(old)).status_code == 401)
        assert post(service, bearer(new)).status_code == 201
        assert stored(service) == []


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', "\xff"])
def test_a_file_without_keys_is_refused(tmp_path: Path, content: str) -> None:
    """At the first reading; so is a missing file."""
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises((UnreadableKey, UnicodeDecodeError)):
        FileKeys(path)
    with pytest.raises(OSError, match="nothing"):
        FileKeys(tmp_path / "nothing")
