"""Forms about the OAuth clients of a hub: another one, another secret, and none for a while."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import hubs, oauth_clients
from db.errors import NotFound, Refused
from db.oauth_clients import OURS, OAuthClient
from handlers.admin import stale
from handlers.admin.hubs import states
from handlers.admin.hubs.form_pages import FormPage, Input, SecretPage, checked, moment, show, show_once
from handlers.admin.hubs.key_forms import hours, overlap_input
from handlers.admin.hubs.paths import LONGEST_ISSUER, client_path, form_path, name_of, route
from handlers.admin.roles import GET, POST
from handlers.admin.stale import SEEN, Shown
from handlers.admin.visits import Handle, Visit
from handlers.contracts import client_scopes
from handlers.pages import parameters
from handlers.paths import hub_path
from handlers.sessions.fields import Fields
from handlers.sessions.forms import Form
from handlers.sessions.reading import sentence
from handlers.site.service_state import service_state

ISSUE, ROTATE, DISABLE, ENABLE = "issue-client", "rotate-client", "disable-client", "enable-client"
_SCOPES = "scopes"


def pages() -> dict[tuple[str, str], Handle]:
    """The forms, each with the page that asks."""
    return {
        (GET, route(ISSUE)): _ask_to_issue,
        (POST, route(ISSUE)): _issue,
        (GET, route(ROTATE)): _ask_to_rotate,
        (POST, route(ROTATE)): _rotate,
        (GET, route(DISABLE)): _ask_to_disable,
        (POST, route(DISABLE)): _disable,
        (POST, route(ENABLE)): _enable,
    }


async def _ask_to_issue(visit: Visit) -> Response:
    return await _issue_page(visit, Fields(), ())


async def _issue_page(visit: Visit, fields: Fields, ticked: Sequence[str]) -> Response:
    name = name_of(visit.request)
    newest, known = await visit.read(_newest, name), _known(visit)
    if not known:
        raise Refused("no served contract accepts access tokens: activate one that does")
    page = FormPage(
        "Issue a client",
        name,
        "Give the hub a client that gets access tokens.",
        ["The next page shows the client's id and its secret, once. Give both to the people of the hub."],
        [Input(_SCOPES, "What it may do", boxes=_boxes(known), ticked=ticked)],
        fields,
        stale.state_of(newest),
        form_path(ISSUE, name),
        "Issue the client",
        'interaction-reporting hub issue-client HUB --scopes "SCOPE SCOPE"',
    )
    return show(visit, page)


def _known(visit: Visit) -> dict[str, str]:
    """The scopes of the contracts that are served now, each with its description."""
    served = service_state(visit.request).serving.contracts
    return {name: words for contract in served for name, words in contract.scopes.items()}


def _boxes(known: dict[str, str]) -> dict[str, str]:
    return {scope: f"{scope}: {description}" for scope, description in known.items()}


def _newest(connection: Connection, hub: str) -> str:
    """The id of the newest client of a hub; empty if it has none. NotFound if the hub is absent."""
    return next(
        (client.client_id for client in oauth_clients.of_hub(connection, hubs.get(connection, hub).name, 1)), ""
    )


async def _issue(visit: Visit) -> Response:
    name, fields, ticked = name_of(visit.request), checked(visit), visit.form.every(_SCOPES)
    if not ticked:
        fields.refuse(_SCOPES, "Tick what the client may do.")
    if not fields.faults:
        try:
            scopes = client_scopes.granted(_known(visit), ticked)
            client, secret = await visit.change("issue", _issued, name, scopes, visit.form)
        except Refused as error:
            fields.refuse(_SCOPES, sentence(error))
        else:
            secrets = {"Client id": client.client_id, "Client secret": secret or ""}
            return show_once(visit, SecretPage("The new client", name, secrets, ["It may get access tokens now."]))
    return await _issue_page(visit, fields, ticked)


def _issued(connection: Connection, name: str, scopes: Sequence[str], form: Form) -> tuple[OAuthClient, str | None]:
    newest = _newest(connection, name)
    stale.require_unchanged(connection, newest, Shown("client", newest, form.text(SEEN), hub_path(name)))
    return oauth_clients.issue(connection, name, scopes)


async def _ask_to_rotate(visit: Visit) -> Response:
    return await _rotate_page(visit, Fields(overlap="24"))


async def _rotate_page(visit: Visit, fields: Fields) -> Response:
    client = await _client(visit)
    _require_secret(client)
    consequences = ["The next page shows the new secret, once. Give it to the people of the hub."]
    if client.previous_secret_until:
        until = moment(client.previous_secret_until)
        consequences.append(f"The secret before the present one, which is accepted until {until}, is refused at once.")
    page = _page(
        client,
        fields,
        ("Rotate the secret", ROTATE, "hub rotate-client CLIENT_ID --overlap 24h"),
        f"Give the client {client.client_id} a new secret.",
        consequences,
        [overlap_input("secret")],
    )
    return show(visit, page)


async def _rotate(visit: Visit) -> Response:
    client_id, fields = name_of(visit.request), checked(visit)
    overlap = hours(fields)
    if fields.faults:
        return await _rotate_page(visit, fields)
    client, secret = await visit.change("rotate secret", _rotated, client_id, overlap, visit.form)
    note = "The former secret is refused within a second."
    if client.previous_secret_until:
        note = f"The former secret is accepted until {moment(client.previous_secret_until)}."
    secrets = {"Client id": client.client_id, "Client secret": secret}
    return show_once(visit, SecretPage("The new secret", client.hub, secrets, [note]))


def _rotated(connection: Connection, client_id: str, overlap: timedelta, form: Form) -> tuple[OAuthClient, str]:
    _require_secret(states.require_same_client(connection, client_id, OURS, form))
    return oauth_clients.rotate(connection, client_id, overlap)


def _require_secret(client: OAuthClient) -> None:
    if client.issuer:
        raise NotFound(f"there is no secret of {client.client_id!r} here")
    if client.jwks:
        raise Refused(f"the client {client.client_id} has keys instead of a secret: 'hub change-client' replaces them")


async def _ask_to_disable(visit: Visit) -> Response:
    return await _disable_page(visit, Fields())


async def _disable_page(visit: Visit, fields: Fields) -> Response:
    page = _page(
        client := await _client(visit),
        fields,
        ("Disable the client", DISABLE, "hub disable-client CLIENT_ID"),
        f"Refuse the client {client.client_id}, and its tokens.",
        [
            "Requests with its tokens are refused with 401 within a second, and it gets no other token.",
            "Other clients of the hub, and its API key, are accepted as before. You can enable the client again.",
        ],
        [],
    )
    return show(visit, page)


async def _disable(visit: Visit) -> Response:
    fields = checked(visit)
    if fields.faults:
        return await _disable_page(visit, fields)
    client = await visit.change("disable", _set, *_identity(visit), visit.form, is_enabled=False)
    return await visit.go_on(hub_path(client.hub), f"The client {client.client_id} and its tokens are refused.")


async def _enable(visit: Visit) -> Response:
    client = await visit.change("enable", _set, *_identity(visit), visit.form, is_enabled=True)
    return await visit.go_on(hub_path(client.hub), f"The client {client.client_id} is accepted again.")


def _set(connection: Connection, client_id: str, issuer: str, form: Form, is_enabled: bool) -> OAuthClient:
    states.require_same_client(connection, client_id, issuer, form)
    return (oauth_clients.enable if is_enabled else oauth_clients.disable)(connection, client_id, issuer)


async def _client(visit: Visit) -> OAuthClient:
    return await visit.read(oauth_clients.get, *_identity(visit))


def _identity(visit: Visit) -> tuple[str, str]:
    """The id and the issuer of the client in a path."""
    return name_of(visit.request), parameters.text(visit.request, "issuer", LONGEST_ISSUER).replace("\0", "")


def _page(  # noqa: PLR0913, PLR0917 (what a page consists of)
    client: OAuthClient,
    fields: Fields,
    words: tuple[str, str, str],
    lede: str,
    consequences: Sequence[str],
    inputs: Sequence[Input],
) -> FormPage:
    """A page about one client; `words` are its title and button, its action and its command."""
    title, action, command = words
    return FormPage(
        title,
        client.hub,
        lede,
        consequences,
        inputs,
        fields,
        states.of_client(client),
        client_path(action, client),
        title,
        f"interaction-reporting {command}",
        is_dangerous=action == DISABLE,
    )
