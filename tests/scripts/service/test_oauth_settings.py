"""What the settings say about access tokens."""

from pathlib import Path

import pytest

from openapi.oauth import jwk
from scripts.service.oauth_settings import key_secret, oauth_policy
from scripts.service.settings import Settings, SettingsError


def test_without_settings_the_service_is_where_it_listens() -> None:
    """And issues tokens for ten minutes, signed by keys in the database, in the open."""
    policy = oauth_policy(Settings())
    assert (policy.public_url, policy.token_seconds, list(policy.issuers)) == ("http://127.0.0.1:8080", 600, [])
    assert (policy.key_store.file, policy.key_store.secret) == (None, None)
    assert oauth_policy(Settings(host="::1", port=9)).public_url == "http://[::1]:9"


def test_settings_are_read() -> None:
    """Issuers have blanks between them; a secret opens what was sealed by it."""
    given = {
        "IR_PUBLIC_URL": "https://api.example:8443",
        "IR_OAUTH_TOKEN_SECONDS": "60",
        "IR_OAUTH_KEY_SECRET": "A" * 43,
        "IR_OAUTH_ISSUERS": "https://one.example  http://127.0.0.1:9/realms/two",
    }
    policy = oauth_policy(settings := Settings.read(given))
    assert (policy.public_url, policy.token_seconds) == ("https://api.example:8443", 60)
    assert list(policy.issuers) == ["https://one.example", "http://127.0.0.1:9/realms/two"]
    key = jwk.new()
    assert jwk.read(jwk.serialize(key, policy.key_store.secret), key_secret(settings)).kid == key.kid
    assert "A" * 43 not in f"{settings!r} {policy!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IR_PUBLIC_URL", "api.example"),
        ("IR_PUBLIC_URL", "ftp://api.example"),
        ("IR_PUBLIC_URL", "https://api.example/"),
        ("IR_PUBLIC_URL", "https://api.example/base"),
        ("IR_PUBLIC_URL", "https://me@api.example"),
        ("IR_PUBLIC_URL", 'https://api.example"'),
        ("IR_PUBLIC_URL", "https://api.example\nevil"),
        ("IR_PUBLIC_URL", f"https://{'a' * 100}.example"),
        ("IR_OAUTH_TOKEN_SECONDS", "9"),
        ("IR_OAUTH_TOKEN_SECONDS", "3601"),
        ("IR_OAUTH_KEY_SECRET", "too short"),
        ("IR_OAUTH_ISSUERS", "http://issuer.example"),
        ("IR_OAUTH_ISSUERS", "https://issuer.example?a=b"),
        ("IR_OAUTH_ISSUERS", "https://one.example,https://two.example#"),
        ("IR_OAUTH_ISSUERS", "issuer.example"),
        ("IR_OAUTH_KEYS_FILE", "/nothing/there.json"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    """And of a secret nothing is repeated."""
    with pytest.raises(SettingsError) as raised:
        oauth_policy(Settings.read({name: value}))
    assert str(raised.value).startswith(name)
    assert ("too short" in str(raised.value)) is False


def test_a_file_without_keys_is_named(tmp_path: Path) -> None:
    """Before anything is served."""
    path = tmp_path / "keys.json"
    path.write_text("{}")
    with pytest.raises(SettingsError, match="IR_OAUTH_KEYS_FILE cannot be used: it is not a JWK Set"):
        oauth_policy(Settings(oauth_keys_file=str(path)))
