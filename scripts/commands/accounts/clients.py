"""The client commands of `interaction-reporting hub`: OAuth clients that act for hubs."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from db import oauth_clients
from db.oauth_clients import OURS, OAuthClient
from handlers.contracts import client_scopes, lifecycle
from openapi.oauth import client_assertions
from openapi.standards import ijson
from openapi.standards.ijson import UnstorableValue
from openapi.standards.json_pointer import pointer
from scripts.commands.accounts.hubs import Name
from scripts.commands.arguments import AsJSON, Overlap
from scripts.commands.changes import Why, changing
from scripts.commands.output import note, note_ended, show
from scripts.service import oauth_settings
from scripts.service.databases import database
from scripts.service.settings import Settings


def _jwks(text: str) -> dict[str, Any]:
    """The public keys in the file named `text`; BadParameter if it cannot be used."""
    try:
        return client_assertions.public_keys(ijson.loads(Path(text).read_bytes()))
    except UnstorableValue as error:
        raise typer.BadParameter(f"{text}: {error.reason} (at {pointer(*error.parts)})") from None
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{text}: {error}") from None


ClientID = Annotated[str, typer.Argument(help="The client's id.", metavar="CLIENT_ID")]
Scopes = Annotated[str, typer.Option(help="Its scopes, separated by spaces: 'events:write events:read'.")]
Keys = Annotated[
    dict[str, Any] | None,
    typer.Option(
        "--jwks",
        help="A JWK Set of its public keys: the client then authenticates with private_key_jwt, not with a secret.",
        parser=_jwks,
        metavar="FILE",
    ),
]
Issuer = Annotated[str, typer.Option(help="The client's issuer, if it is not this service: one of IR_OAUTH_ISSUERS.")]


def issue_client(  # noqa: PLR0913, PLR0917 (the options of a command)
    name: Name,
    scopes: Scopes,
    jwks: Keys = None,
    dpop: Annotated[
        bool, typer.Option("--dpop", help="Bind its tokens to a key that the client proves to hold (DPoP).")
    ] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Issue an OAuth client to a hub and print its secret, which is shown only once."""
    with changing("issue", why) as connection:
        granted = client_scopes.granted(lifecycle.scopes(connection), scopes.split())
        client, secret = oauth_clients.issue(connection, name, granted, jwks, dpop)
    _show(client, secret, as_json)


def accept_client(  # noqa: PLR0913, PLR0917 (the options of a command)
    name: Name,
    client_id: ClientID,
    scopes: Scopes,
    issuer: Annotated[str, typer.Option(help="The issuer of the client: one of IR_OAUTH_ISSUERS.")],
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Let a client of another issuer act for a hub."""
    settings = Settings.read()
    if issuer not in oauth_settings.issuers(settings):
        raise typer.BadParameter(f"{issuer} is not one of IR_OAUTH_ISSUERS")
    with changing("accept", why, settings) as connection:
        client = oauth_clients.accept(
            connection, name, issuer, client_id, client_scopes.granted(lifecycle.scopes(connection), scopes.split())
        )
    _show(client, None, as_json)


def list_clients(as_json: AsJSON = False) -> None:
    """List every OAuth client."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show([_as_dict(client) for client in oauth_clients.list_all(connection)], as_json)


def rotate_client(client_id: ClientID, overlap: Overlap = 24, why: Why = None, as_json: AsJSON = False) -> None:
    """Give a client a new secret, which is shown only once. The old secret is accepted for a while."""
    with changing("rotate secret", why) as connection:
        before = oauth_clients.get(connection, client_id)
        client, secret = oauth_clients.rotate(connection, client_id, timedelta(hours=overlap))
    note_ended(before.previous_secret_until, "secret")
    _show(client, secret, as_json)


def change_client(  # noqa: PLR0913, PLR0917 (the options of a command)
    client_id: ClientID,
    scopes: Annotated[str | None, typer.Option(help="Its new scopes, separated by spaces.")] = None,
    jwks: Keys = None,
    issuer: Issuer = OURS,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Change a client's scopes or keys. Its existing tokens lose removed scopes at once."""
    if scopes is None and jwks is None:
        raise typer.BadParameter("--scopes or --jwks is needed")
    with changing("change", why) as connection:
        granted = None if scopes is None else client_scopes.granted(lifecycle.scopes(connection), scopes.split())
        client = oauth_clients.change(connection, client_id, issuer, granted, jwks)
    _show(client, None, as_json)


def disable_client(client_id: ClientID, issuer: Issuer = OURS, why: Why = None, as_json: AsJSON = False) -> None:
    """Refuse a client and its tokens from now on."""
    with changing("disable", why) as connection:
        client = oauth_clients.disable(connection, client_id, issuer)
    _show(client, None, as_json)


def enable_client(client_id: ClientID, issuer: Issuer = OURS, why: Why = None, as_json: AsJSON = False) -> None:
    """Accept a disabled client and its unexpired tokens again."""
    with changing("enable", why) as connection:
        client = oauth_clients.enable(connection, client_id, issuer)
    _show(client, None, as_json)


def _as_dict(client: OAuthClient) -> dict[str, Any]:
    """`client` for display, with the ids of its keys in place of the keys."""
    kids = [key["kid"] for key in client.jwks["keys"]] if client.jwks else None
    return {**dataclasses.asdict(client), "jwks": kids}


def _show(client: OAuthClient, secret: str | None, as_json: bool) -> None:
    show({**_as_dict(client), "client_secret": secret} if secret else _as_dict(client), as_json)
    if secret:
        note("Save the secret now: only its digest is stored, so it cannot be shown again.")
