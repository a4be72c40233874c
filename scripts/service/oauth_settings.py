"""The settings of access tokens, and of the issuer that signs in admins, checked."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from joserfc.jwk import OctKey

from db.admins import ROLES, Role
from handlers.security.authority import OAuthOptions
from handlers.security.issuers import is_secure
from handlers.security.sign_in_issuer import SignInOptions
from handlers.security.signing_keys import FileKeys, KeySource
from openapi.oauth import jwk
from openapi.oauth.jwk import UnreadableKey
from openapi.serving import forwarded
from scripts.service.settings import Settings, SettingsError, variable

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")

LONGEST_URL = 100
"""Characters: the URL is part of challenges, which contracts limit to 400."""


def oauth_policy(settings: Settings) -> OAuthOptions:
    """The OAuth options of `settings`; SettingsError names a wrong variable."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    public_url = settings.public_url or f"http://{host}:{settings.port}"
    if not _ORIGIN.fullmatch(public_url) or len(public_url) > LONGEST_URL:
        if not settings.public_url:
            raise SettingsError(f"{variable('host')} is {settings.host!r}; it must be an address or the name of a host")
        form = f"like https://host, without a path, and have at most {LONGEST_URL} characters"
        raise SettingsError(f"{variable('public_url')} is {_shown(public_url)!r}; it must be {form}")
    key_store = _key_store(settings)
    return OAuthOptions(public_url, settings.oauth_token_seconds, key_store, issuers(settings), settings.dpop_leeway)


def issuers(settings: Settings) -> list[str]:
    """The other accepted issuers of `settings`; SettingsError if one is not the URL of an issuer."""
    urls = settings.oauth_issuers.replace(",", " ").split()
    for url in urls:
        _require_issuer("oauth_issuers", url)
    return urls


def sign_in_options(settings: Settings) -> SignInOptions | None:
    """The issuer that signs in admins; None if unset, SettingsError if it cannot, or if a part of it is missing."""
    names = ("admin_oidc_issuer", "admin_oidc_client_id", "admin_oidc_client_secret")
    missing = [variable(name) for name in names if not getattr(settings, name)]
    if len(missing) == len(names) and not settings.admin_oidc_roles:
        return None
    if missing:
        raise SettingsError(f"an issuer that signs in admins also needs {' and '.join(missing)}")
    url = settings.admin_oidc_issuer
    _require_issuer(names[0], url)
    return SignInOptions(url, settings.admin_oidc_client_id, settings.admin_oidc_client_secret, _roles(settings))


def _roles(settings: Settings) -> tuple[tuple[Role, str], ...]:
    """Roles and the groups that have them; SettingsError unless each is ROLE=GROUP, quoted if it has a space."""
    name = variable("admin_oidc_roles")
    try:
        words = shlex.split(settings.admin_oidc_roles)
    except ValueError as error:
        raise SettingsError(f"{name} cannot be read: {error}") from None
    roles: list[tuple[Role, str]] = []
    for word in words:
        role, _, group = word.partition("=")
        known: list[Role] = [each for each in ROLES if each == role]
        if not known or not group:
            raise SettingsError(f"{name} has {word!r}; it must be ROLE=GROUP, and a role is {', '.join(ROLES)}")
        roles.append((known[0], group))
    return tuple(roles)


def unreachable(settings: Settings) -> str | None:
    """Why no contract with access tokens can be served, for the operator; None if they can."""
    address = forwarded.address(settings.host)
    if settings.public_url or address is None or not address.is_unspecified:
        return None
    name, url = variable("public_url"), oauth_policy(settings).public_url
    return (
        f"{name} is unset: access tokens and their metadata would name {url}, which no client can reach; set it to the "
        "URL that clients use"
    )


def key_secret(settings: Settings) -> OctKey | None:
    """The secret that encrypts the signing keys in the database; None if unset, SettingsError if it cannot be used."""
    if not settings.oauth_key_secret:
        return None
    try:
        return jwk.secret_of(settings.oauth_key_secret)
    except ValueError as error:
        message = f"{variable('oauth_key_secret')} cannot be used: {error}; make one with: openssl rand -base64 32"
        raise SettingsError(message) from None


def _require_issuer(name: str, url: str) -> None:
    """SettingsError unless `url`, in the setting `name`, is the URL of an issuer."""
    if not is_secure(url) or "?" in url or "#" in url or "@" in urlsplit(url).netloc:
        raise SettingsError(
            f"{variable(name)} has {_shown(url)!r}; it must be https://host or https://host:port, with or without a "
            "path, and without user, query and fragment"
        )


def _shown(url: str) -> str:
    """`url` for an error: without a user name and a password."""
    return re.sub("//[^/]*@", "//...@", url)


def _key_store(settings: Settings) -> KeySource:
    if not settings.oauth_keys_file:
        return KeySource(key_secret(settings))
    store = KeySource(file=Path(settings.oauth_keys_file))
    try:
        FileKeys(Path(settings.oauth_keys_file))
    except (OSError, UnreadableKey, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable('oauth_keys_file')} cannot be used: {error}") from None
    return store
