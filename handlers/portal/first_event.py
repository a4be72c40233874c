"""How to report a first event to a contract: in curl, Python and TypeScript, with the reader's own URL."""

from dataclasses import dataclass

from handlers.contracts.client_packages import ClientPackages
from handlers.paths import CONTRACTS
from openapi.contract import Contract

OPERATION = "reportInteractionEvent"
"""Takes one event."""
WIDGET = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
"""Stands in an event for the widget of the reader: the command has a variable in its place."""
_EVENT = f"""\
{{
    "widget_id": "{WIDGET}",
    "event_type": "clicked",
    "occurred_at": "2026-03-31T12:00:00Z"
  }}"""
_CURL = """\
export {variables} WIDGET_ID=YOUR-WIDGET-ID

{token}curl -i {url}{path} \\
  -H "Authorization: Bearer {credentials}" \\
  -H "Content-Type: application/json" \\
  -d '{event}'
"""
_CURL_SIGN_IN = """\
token=$(curl -sS {url}/oauth/token -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials |
  python3 -c 'import json, sys; told = json.load(sys.stdin); print(told.get("access_token") or sys.exit(told))') &&
"""
_PYTHON = """\
# {install}
from interaction_reporting import Client

WIDGET_ID = "YOUR-WIDGET-ID"
client = Client("{url}", {credentials})
stored = client.interaction_events.report({{
    "widget_id": WIDGET_ID,
    "event_type": "clicked",
    "occurred_at": "2026-03-31T12:00:00Z",
}})
print(stored["id"])
"""
_TYPESCRIPT = """\
// {install}
import {{ Client }} from "interaction-reporting-client";

const widgetId = "YOUR-WIDGET-ID";
const client = new Client("{url}", {{ {credentials} }});
const stored = await client.interactionEvents.report({{
  widget_id: widgetId,
  event_type: "clicked",
  occurred_at: "2026-03-31T12:00:00Z",
}});
console.log(stored.id);
"""


@dataclass(frozen=True, slots=True)
class _Credentials:
    """What authenticates a hub, who gives that, the problem without it, and how each program gives it."""

    name: str
    how_to_get: str
    command: str
    refusal: str
    variables: str
    token: str
    curl: str
    python: str
    typescript: str


_KEY = _Credentials(
    "an API key",
    "It is shown once, when the hub is created.",
    "",
    "unauthorized",
    "API_KEY=YOUR-KEY",
    "",
    "$API_KEY",
    'api_key="YOUR-KEY"',
    'apiKey: "YOUR-KEY"',
)
_CLIENT = _Credentials(
    "a client",
    "The operator issues its id and its secret on the page of the hub, or with",
    'interaction-reporting hub issue-client HUB --scopes "events:write"',
    "invalid_token",
    "CLIENT_ID=YOUR-ID CLIENT_SECRET=YOUR-SECRET",
    _CURL_SIGN_IN,
    "$token",
    'client_id="YOUR-ID", client_secret="YOUR-SECRET"',
    'clientId: "YOUR-ID", clientSecret: "YOUR-SECRET"',
)


@dataclass(frozen=True, slots=True)
class FirstEvent:
    """A version, what authenticates its hubs, how to get that, the problem without it, and the samples by language."""

    version: str
    credentials: str
    how_to_get: str
    command: str
    refusal: str
    samples: dict[str, str]


def first_event(contract: Contract, packages: ClientPackages, url: str) -> FirstEvent | None:
    """The samples for the service at `url`; None if `contract` has no operation that takes one event."""
    command = curl(contract, url, _EVENT)
    if command is None:
        return None
    how = _credentials(contract)
    address = f"{url}{CONTRACTS}/{contract.version}/clients"
    install = {entry["language"]: entry["install"] for entry in packages.listed(address)}
    samples = {
        "curl": command,
        "Python": _PYTHON.format(install=install["python"], url=url, credentials=how.python),
        "TypeScript": _TYPESCRIPT.format(install=install["typescript"], url=url, credentials=how.typescript),
    }
    return FirstEvent(contract.version, how.name, how.how_to_get, how.command, how.refusal, samples)


def credentials_of(contract: Contract) -> str:
    """What authenticates the hubs of `contract`, in words."""
    return _credentials(contract).name


def curl(contract: Contract, url: str, event: str) -> str | None:
    """The command that sends `event` to the service at `url`; None if `contract` has no operation that takes one.

    `event` is JSON without single quotes.
    """
    operation = next((each for each in contract.operations if each.name == OPERATION), None)
    if operation is None:
        return None
    how, path = _credentials(contract), contract.server_path + operation.path
    token, sent = how.token.format(url=url), event.replace(WIDGET, "'$WIDGET_ID'", 1)
    return _CURL.format(variables=how.variables, token=token, url=url, path=path, credentials=how.curl, event=sent)


def _credentials(contract: Contract) -> _Credentials:
    return _CLIENT if contract.scopes else _KEY
