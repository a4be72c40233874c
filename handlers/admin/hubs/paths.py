"""The paths of the pages of hubs. A name may have slashes, so that nothing follows it."""

from urllib.parse import urlencode

from starlette.requests import Request

from db.oauth_clients import OAuthClient
from handlers.pages import parameters
from handlers.pages.page_problems import PageRefusal
from handlers.paths import ADMIN, named_path

HUBS, FORMS = f"{ADMIN}/hubs", f"{ADMIN}/hub"
ONE = f"{HUBS}/{{name:path}}"
LONGEST_ISSUER = 2000
"""Characters."""


def route(action: str) -> str:
    """The path of a form, for a route; the name is that of a hub, or the id of a client."""
    return f"{FORMS}/{action}/{{name:path}}"


def form_path(action: str, name: str) -> str:
    """The path of a form about the hub named `name`."""
    return named_path(f"{FORMS}/{action}", name)


def client_path(action: str, client: OAuthClient) -> str:
    """The path of a form about a client."""
    path = form_path(action, client.client_id)
    return f"{path}{'&' if '?' in path else '?'}{urlencode({'issuer': client.issuer})}" if client.issuer else path


def name_of(request: Request) -> str:
    """The name in a path; PageRefusal 404 if no row can have it: it has U+0000, or a half of a surrogate pair."""
    name: str = request.path_params["name"] or parameters.text(request, "name")
    if not name or "\0" in name or name.encode(errors="replace").decode() != name:
        help_ = "The list has every hub, and finds a name by a part of it."
        raise PageRefusal(404, "not_found", "Nothing can have this name", help_, {HUBS: "All hubs"})
    return name
