"""How to report a first event to a contract: in curl, Python and TypeScript, with the reader's own URL."""

from dataclasses import dataclass

from handlers.contracts.client_packages import ClientPackages
from handlers.paths import CONTRACTS
from openapi.contract import Contract

OPERATION = "reportInteractionEvent"
"""Takes one event."""
_EVENT = """\
{
    "widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11",
    "event_type": "clicked",
    "occurred_at": "2026-03-31T12:00:00Z"
  }"""
_CURL = """\
{token}curl -i {url}{path} \\
  -H "Authorization: Bearer {credentials}" \\
  -H "Content-Type: application/json" \\
  -d '{event}'
"""
_CURL_SIGN_IN = """\
token=$(curl -s {url}/oauth/token \\
  -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
"""
_PYTHON = """\
# {install}
from interaction_reporting import Client

client = Client("{url}", {credentials})
stored = client.interaction_events.report({{
    "widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11",
    "event_type": "clicked",
    "occurred_at": "2026-03-31T12:00:00Z",
}})
print(stored["id"])
"""
_TYPESCRIPT = """\
// {install}
import {{ Client }} from "interaction-reporting-client";

const client = new Client("{url}", {{ {credentials} }});
const stored = await client.interactionEvents.report({{
  widget_id: "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11",
  event_type: "clicked",
  occurred_at: "2026-03-31T12:00:00Z",
}});
console.log(stored.id);
"""


@dataclass(frozen=True, slots=True)
class _Credentials:
    """What authenticates a hub, how it gets that, the problem without it, and how each program gives it."""

    name: str
    how_to_get: str
    command: str
    refusal: str
    token: str
    curl: str
    python: str
    typescript: str


_KEY = _Credentials(
    "an API key",
    "Your operator creates a hub and gives you its key, which is shown once:",
    "interaction-reporting hub create NAME",
    "unauthorized",
    "",
    "$API_KEY",
    'api_key="YOUR-KEY"',
    'apiKey: "YOUR-KEY"',
)
_CLIENT = _Credentials(
    "the id and the secret of a client",
    "Your operator creates a client for your hub, and gives you both:",
    'interaction-reporting hub issue-client HUB --scopes "events:write"',
    "invalid_token",
    _CURL_SIGN_IN,
    "$token",
    'client_id="YOUR-ID", client_secret="YOUR-SECRET"',
    'clientId: "YOUR-ID", clientSecret: "YOUR-SECRET"',
)


@dataclass(frozen=True, slots=True)
class FirstEvent:
    """What to get, the command that makes it, the problem of those who lack it, and the samples by language."""

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
    return FirstEvent(how.name, how.how_to_get, how.command, how.refusal, samples)


def curl(contract: Contract, url: str, event: str) -> str | None:
    """The command that sends `event` to the service at `url`; None if `contract` has no operation that takes one.

    `event` is JSON without single quotes.
    """
    operation = next((each for each in contract.operations if each.name == OPERATION), None)
    if operation is None:
        return None
    how, path = _credentials(contract), contract.server_path + operation.path
    token = how.token.format(url=url)
    return _CURL.format(token=token, url=url, path=path, credentials=how.curl, event=event)


def _credentials(contract: Contract) -> _Credentials:
    return _CLIENT if contract.scopes else _KEY
