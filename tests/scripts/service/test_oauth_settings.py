"""The settings of access tokens."""

from pathlib import Path

import pytest

from handlers.security.sign_in_issuer import SignInOptions
from openapi.oauth import jwk
from scripts.service import oauth_settings
from scripts.service.oauth_settings import key_secret, oauth_policy, sign_in_options
from scripts.service.settings import Settings, SettingsError


def test_the_default_issuer_is_the_listening_address() -> None:
    """Tokens last ten minutes, and their signing keys are in the database, unsealed."""
    policy = oauth_policy(Settings())
    assert (policy.public_url, policy.token_seconds, list(policy.issuers)) == ("http://127.0.0.1:8080", 600, [])
    assert (policy.key_store.file, policy.key_store.secret) == (None, None)
    assert oauth_policy(Settings(host="::1", port=9)).public_url == "http://[::1]:9"


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"IR_HOST": "0.0.0.0"}, "http://0.0.0.0:8080"),  # noqa: S104 (nothing listens)
        ({"IR_HOST": "::", "IR_PORT": "80"}, "http://[::]:80"),
        ({"IR_HOST": "0.0.0.0", "IR_PUBLIC_URL": "https://api.example"}, None),  # noqa: S104 (nothing listens)
        ({"IR_HOST": "192.0.2.1"}, None),
        ({"IR_HOST": "localhost"}, None),
        ({}, None),
    ],
)
def test_an_issuer_that_no_client_can_reach_is_refused(environment: dict[str, str], url: str | None) -> None:
    """As in a container, which listens on every address."""
    fault = oauth_settings.unreachable(Settings.read(environment))
    assert (fault is not None) == (url is not None)
    assert fault is None or (f"would name {url}," in fault and fault.startswith("IR_PUBLIC_URL is unset"))


def test_settings_set_the_policy() -> None:
    """Issuers are separated by spaces or commas; a secret decrypts a key that it encrypted."""
    environment = {
        "IR_PUBLIC_URL": "https://api.example:8443",
        "IR_OAUTH_TOKEN_SECONDS": "60",
        "IR_OAUTH_KEY_SECRET": "A" * 43,
        "IR_OAUTH_ISSUERS": "https://one.example  http://127.0.0.1:9/realms/two,https://three.example/@a, ",
    }
    policy = oauth_policy(settings := Settings.read(environment))
    assert (policy.public_url, policy.token_seconds) == ("https://api.example:8443", 60)
    assert list(policy.issuers) == ["https://one.example", "http://127.0.0.1:9/realms/two", "https://three.example/@a"]
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
        ("IR_PUBLIC_URL", "https://me:s3cret@api.example"),
        ("IR_PUBLIC_URL", 'https://api.example"'),
        ("IR_PUBLIC_URL", "https://api.example\nevil"),
        ("IR_PUBLIC_URL", f"https://{'a' * 100}.example"),
        ("IR_OAUTH_TOKEN_SECONDS", "9"),
        ("IR_OAUTH_TOKEN_SECONDS", "3601"),
        ("IR_OAUTH_KEY_SECRET", "too short"),
        ("IR_OAUTH_ISSUERS", "http://issuer.example"),
        ("IR_OAUTH_ISSUERS", "https://issuer.example?a=b"),
        ("IR_OAUTH_ISSUERS", "https://user:s3cret@issuer.example"),
        ("IR_OAUTH_ISSUERS", "https://issuer.example:65536"),
        ("IR_OAUTH_ISSUERS", "https://issuer.example:0"),
        ("IR_OAUTH_ISSUERS", "https://issuer.example:x"),
        ("IR_OAUTH_ISSUERS", "https://one.example,https://two.example#"),
        ("IR_OAUTH_ISSUERS", "issuer.example"),
        ("IR_OAUTH_KEYS_FILE", "/nothing/there.json"),
    ],
)
def test_the_error_names_a_wrong_setting(name: str, value: str) -> None:
    """It repeats no part of a secret."""
    with pytest.raises(SettingsError) as raised:
        oauth_policy(Settings.read({name: value}))
    assert str(raised.value).startswith(name)
    assert not any(secret in str(raised.value) for secret in ("too short", "s3cret"))


def test_the_error_names_a_file_without_keys(tmp_path: Path) -> None:
    """It is raised before anything is served."""
    path = tmp_path / "keys.json"
    path.write_text("{}")
    with pytest.raises(SettingsError, match="IR_OAUTH_KEYS_FILE cannot be used: it is not a JWK Set"):
        oauth_policy(Settings(oauth_keys_file=str(path)))


@pytest.mark.parametrize("host", ["[::1]", "a b", "host/path", "x" * 200])
def test_a_host_that_makes_no_url_is_refused(host: str) -> None:
    """The error names the setting that is wrong."""
    with pytest.raises(SettingsError, match=r"^IR_HOST is .*; it must be an address or the name of a host"):
        oauth_policy(Settings(host=host))


ISSUER = {
    "IR_ADMIN_OIDC_ISSUER": "https://id.example/realms/a",
    "IR_ADMIN_OIDC_CLIENT_ID": "service",
    "IR_ADMIN_OIDC_CLIENT_SECRET": "s3cret-of-client",
}


def test_an_issuer_signs_in_admins_if_it_is_set() -> None:
    """Roles belong to groups, quoted if they have a space; the secret is not shown."""
    assert sign_in_options(Settings()) is None
    assert sign_in_options(Settings.read(ISSUER)) == SignInOptions(
        "https://id.example/realms/a", "service", "s3cret-of-client"
    )
    roles = "owner=platform-admins  editor='on call' editor=cn=a,dc=b viewer=*"
    options = sign_in_options(settings := Settings.read({**ISSUER, "IR_ADMIN_OIDC_ROLES": roles}))
    assert options is not None
    assert options.roles == (
        ("owner", "platform-admins"),
        ("editor", "on call"),
        ("editor", "cn=a,dc=b"),
        ("viewer", "*"),
    )
    assert [options.role_of(groups) for groups in ((), ("on call", "x"), ("on call", "platform-admins"))] == [
        "viewer",
        "editor",
        "owner",
    ]
    assert "s3cret" not in f"{settings!r} {options!r}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"IR_ADMIN_OIDC_ISSUER": "http://id.example"}, "IR_ADMIN_OIDC_ISSUER has 'http://id.example'"),
        ({"IR_ADMIN_OIDC_ISSUER": "https://me:pw@id.example"}, "IR_ADMIN_OIDC_ISSUER has 'https://...@id.example'"),
        ({"IR_ADMIN_OIDC_ISSUER": None}, "also needs IR_ADMIN_OIDC_ISSUER"),
        ({"IR_ADMIN_OIDC_CLIENT_ID": None}, "also needs IR_ADMIN_OIDC_CLIENT_ID"),
        ({"IR_ADMIN_OIDC_CLIENT_SECRET": None}, "also needs IR_ADMIN_OIDC_CLIENT_SECRET"),
        (dict.fromkeys(ISSUER) | {"IR_ADMIN_OIDC_ROLES": "viewer=*"}, "also needs IR_ADMIN_OIDC_ISSUER and"),
        ({"IR_ADMIN_OIDC_ROLES": "king=a"}, "IR_ADMIN_OIDC_ROLES has 'king=a'; it must be ROLE=GROUP"),
        ({"IR_ADMIN_OIDC_ROLES": "owner="}, "IR_ADMIN_OIDC_ROLES has 'owner='"),
        ({"IR_ADMIN_OIDC_ROLES": "owner=a b"}, "IR_ADMIN_OIDC_ROLES has 'b'"),
        ({"IR_ADMIN_OIDC_ROLES": "owner='a"}, "IR_ADMIN_OIDC_ROLES cannot be read: No closing quotation"),
    ],
)
def test_an_issuer_that_cannot_sign_in_is_refused(changes: dict[str, str | None], words: str) -> None:
    """The error names the setting, and has no secret."""
    environment = {name: value for name, value in {**ISSUER, **changes}.items() if value is not None}
    with pytest.raises(SettingsError) as raised:
        sign_in_options(Settings.read(environment))
    assert words in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert "pw" not in str(raised.value)
