"""`interaction-reporting signing-key`: the keys that sign access tokens."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from db import signing_keys
from db.errors import Refused
from db.signing_keys import SigningKey
from handlers.security.signing_keys import key_factory
from scripts.commands.arguments import AsJSON
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.oauth_settings import key_secret
from scripts.service.settings import LONGEST_TOKEN_SECONDS, Settings

MARGIN_SECONDS = 60
"""The longest time until every worker knows a new key."""


def list_(as_json: AsJSON = False) -> None:
    """List the keys in the database, newest first: the first signs, all verify until they expire."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show([_as_dict(key) for key in signing_keys.list_all(connection)], as_json)


def rotate(as_json: AsJSON = False) -> None:
    """Sign with a new key from now on. The old key verifies until every token that it signed has expired."""
    settings = Settings.read()
    if settings.oauth_keys_file:
        raise Refused(f"the keys are in {settings.oauth_keys_file}: put a new one first in that file")
    lifetime = timedelta(seconds=LONGEST_TOKEN_SECONDS + MARGIN_SECONDS)
    with database(settings) as opened, opened.begin() as connection:
        key = signing_keys.rotate(connection, key_factory(key_secret(settings)), lifetime)
    show(_as_dict(key), as_json)


def revoke(
    kid: Annotated[str, typer.Argument(help="The key's id, as 'list' shows it.", metavar="KID")],
    as_json: AsJSON = False,
) -> None:
    """From now on refuse every token that a key has signed, for instance because the key has leaked."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        key = signing_keys.revoke(connection, kid)
    show(_as_dict(key), as_json)
    note("The tokens that it signed are refused within a second. Clients get new ones, signed by another key.")


def _as_dict(key: SigningKey) -> dict[str, Any]:
    """`key` for display, without its secret."""
    return {
        "kid": key.kid,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "is_sealed": not key.key.startswith("{"),
    }
