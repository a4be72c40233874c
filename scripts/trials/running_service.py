"""A running service as `fuzz --url` finds it through its API: served contracts, and what events may name."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import typer

from openapi.contract import Contract, ContractError
from openapi.oauth.server_metadata import TOKEN
from scripts.service.demonstration import WIDGET
from scripts.trials.schemathesis_run import Subject

SERVED = ("active", "deprecated")
"""The statuses of the contracts that govern a major version."""
PAGE = 1000
LAST_PORT = 65535
NO_HEADERS: Mapping[str, str] = {}
TIMEOUT_SECONDS = 120
"""As long as the request-timeout of fuzz.toml."""


class UnusableError(Exception):
    """The service cannot be fuzzed; the message says why, and what to do."""


def origin(url: str) -> str:
    """`url` without a final slash; BadParameter unless it is an http or https URL, with or without a path."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        parsed = httpx.URL("")
    is_plain = parsed.scheme in ("http", "https") and parsed.host and "?" not in url and "#" not in url
    has_port = parsed.port is None or 1 <= parsed.port <= LAST_PORT
    if not (is_plain and has_port) or not (url.isascii() and url.isprintable()) or " " in url:
        raise typer.BadParameter(f"--url is {url!r}; it must be of the form https://host or http://host:port/path")
    if parsed.userinfo:
        raise typer.BadParameter("--url has a user name or password; it must be of the form https://host")
    return url.rstrip("/")


@dataclass(frozen=True)
class RunningService:
    """The service at `url`, which `client` asks."""

    url: str
    client: httpx.Client

    def served(self) -> dict[str, str]:
        """The path of the document of each served contract, by version; UnusableError if there is none."""
        try:
            listed = self._json("/contracts")["contracts"]
            paths = {row["version"]: str(row["links"]["document"]) for row in listed if row["status"] in SERVED}
        except (LookupError, TypeError):
            raise self._another_service() from None
        if not paths:
            raise UnusableError(f"{self.url} serves no contract")
        return paths

    def contract(self, path: str) -> Contract:
        """The contract with its document at `path`; UnusableError if it is not one."""
        try:
            return Contract.read(self._ask("GET", path, Accept="application/json").text)
        except ContractError as error:
            raise UnusableError(f"{self.url}{path} is not a contract: {error}") from None

    def subject(self, contract: Contract, key: str) -> Subject:
        """The service with what its registry has for events under `contract`.

        UnusableError if it refuses `key`, or if its registry has no widget or no event type that events may name.
        """
        bearer = self._token(contract, key) if contract.scopes else key
        registry = _Registry(self, contract, bearer)
        subject = Subject(self.url, key, registry.widget_id(), registry.event_type())
        registry.check(subject)
        return subject

    def _token(self, contract: Contract, key: str) -> str:
        """A token with every scope of `contract`; UnusableError if the client gets none."""
        client_id, _, secret = key.partition(":")
        form = {"grant_type": "client_credentials"}
        answer = self.send("POST", TOKEN, data=form, auth=(client_id, secret))
        members = _members(answer)
        token, scopes = members.get("access_token"), str(members.get("scope", "")).split()
        if answer.status_code != 200 or not isinstance(token, str):
            reason = members.get("error_description") or members.get("error")
            raise UnusableError(f"{self.url} gives the client of --client-file no token: {_brief(answer, reason)}")
        if missing := [scope for scope in contract.scopes if scope not in scopes]:
            change = f"'interaction-reporting hub change-client {client_id} --scopes \"{' '.join(contract.scopes)}\"'"
            raise UnusableError(
                f"the client of --client-file lacks the scopes {' '.join(missing)}: {change} gives them"
            )
        return token

    def _json(self, path: str) -> Any:
        """The JSON at `path`; UnusableError if there is none."""
        try:
            return self._ask("GET", path, Accept="application/json").json()
        except ValueError:
            raise self._another_service() from None

    def _ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        """The answer of a public page with status 200; UnusableError if there is none."""
        answer = self.send(method, path, headers=headers)
        if answer.is_redirect:
            raise UnusableError(f"{self.url} redirects to {answer.headers.get('location')!r}: give --url the final URL")
        if answer.status_code == 404:
            raise self._another_service()
        if answer.status_code != 200:
            raise UnusableError(f"{self.url}{path} answers {_brief(answer)}")
        return answer

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request; UnusableError if there is none."""
        try:
            return self.client.request(method, self.url + path, **options)
        except httpx.TimeoutException:
            raise UnusableError(f"{self.url} did not answer {method} {path} in {TIMEOUT_SECONDS} seconds") from None
        except httpx.HTTPError as error:
            is_untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
            hint = "; SSL_CERT_FILE names the certificate of your own authority" if is_untrusted else ""
            raise UnusableError(f"{self.url} cannot be reached: {error}{hint}") from None

    def _another_service(self) -> UnusableError:
        return UnusableError(
            f"{self.url}/contracts is not a list of contracts: is --url the URL of this service, "
            "without the /api/v1 of a version?"
        )


@dataclass(frozen=True)
class _Registry:
    """The widgets and event types of the service, read under `contract`."""

    service: RunningService
    contract: Contract
    bearer: str

    def widget_id(self) -> str:
        """An active widget that stays active: the hub's own ones end when a run replaces the hub's manifest."""
        if not self._has("/widgets"):
            return str(WIDGET)
        own = {entry.get("id") for entry in self._manifest("widgets")}
        for page in self._pages("/widgets"):
            ids = [item["id"] for item in page if item["id"] not in own]
            if ids:
                return str(WIDGET) if str(WIDGET) in ids else str(ids[0])
        raise UnusableError(
            f"{self.service.url} has no active widget, except those of the hub's own manifest, which the run replaces: "
            "'interaction-reporting widget register NAME' registers one"
        )

    def event_type(self) -> str:
        """An active event type that stays active and takes any metadata."""
        if not self._has("/event-types"):
            return "clicked"
        own = {entry.get("name") for entry in self._manifest("event_types")}
        for page in self._pages("/event-types"):
            names = [item["name"] for item in page if item["name"] not in own and not item.get("metadata_schema")]
            if names:
                return "clicked" if "clicked" in names else str(names[0])
        raise UnusableError(
            f"{self.service.url} has no active event type without a metadata_schema, except those of the hub's own "
            "manifest, which the run replaces: 'interaction-reporting event-type register NAME --description TEXT' "
            "registers one"
        )

    def check(self, subject: Subject) -> None:
        """Report one event in a dry run, which version 1.0 alone does not have; UnusableError if it is refused."""
        event = {
            "widget_id": subject.widget_id,
            "event_type": subject.event_type,
            "occurred_at": "2026-03-31T12:00:00Z",
        }
        answer = self._send("POST", "/interaction-events", json=event, headers={"Prefer": "dry-run"})
        if answer.status_code == 422 and not self._has("/widgets"):
            raise UnusableError(
                f"{self.service.url} refuses the event of the examples: {_brief(answer)}. Contract "
                f"{self.contract.version} lists no widgets and event types, so it needs those of its examples: "
                f"'interaction-reporting widget register NAME --id {WIDGET}' and 'event-type register clicked'"
            )
        if 400 <= answer.status_code < 500:  # another wrong answer is for the run to find
            raise UnusableError(f"{self.service.url} refuses an event: {_brief(answer)}")

    def _has(self, path: str) -> bool:
        return any(operation.path == path and operation.method == "get" for operation in self.contract.operations)

    def _manifest(self, name: str) -> list[dict[str, Any]]:
        """The entries `name` of the hub's own manifest; none if the hub has no manifest."""
        answer = self._send("GET", "/hub-capability-manifest")
        entries = _members(answer).get(name, []) if answer.status_code == 200 else []
        return [entry for entry in entries if isinstance(entry, dict)]

    def _pages(self, path: str) -> Iterator[list[dict[str, Any]]]:
        """The items of each page of a list."""
        parameters: dict[str, Any] = {"limit": PAGE}
        while True:
            answer = self._send("GET", path, params=parameters)
            page = _members(answer)
            if answer.status_code != 200 or not isinstance(page.get("items"), list):
                raise UnusableError(f"{self.service.url} does not list {path.strip('/')}: {_brief(answer)}")
            yield page["items"]
            if not page.get("has_more"):
                return
            parameters["cursor"] = page.get("next_cursor")

    def _send(self, method: str, path: str, headers: Mapping[str, str] = NO_HEADERS, **options: Any) -> httpx.Response:
        """The answer to the hub; UnusableError if its credentials are refused."""
        headers = {"Authorization": f"Bearer {self.bearer}", **headers}
        answer = self.service.send(method, self.contract.server_path + path, headers=headers, **options)
        if answer.status_code in (401, 403):
            what = "the token of --client-file" if self.contract.scopes else "the key of --key-file"
            described = re.search(r'error_description="([^"]*)"', answer.headers.get("www-authenticate", ""))
            reason = described[1] if described else None
            raise UnusableError(f"{self.service.url} refuses {what}: {_brief(answer, reason)}")
        return answer


def _members(answer: httpx.Response) -> dict[str, Any]:
    """The members of the JSON object that an answer has; none if it has no such object."""
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _brief(answer: httpx.Response, reason: Any = None) -> str:
    """The status of an answer, and the `reason` or the beginning of its body, without the credentials sent."""
    text = str(reason or answer.text.strip())
    for secret in _secrets(answer.request.headers.get("authorization", "")):
        text = text.replace(secret, "[hidden]")
    return f"{answer.status_code}, {text[:200]!r}"


def _secrets(authorization: str) -> list[str]:
    """The secrets in an Authorization header: a key or token, or the secret of a client in two forms (RFC 7617)."""
    scheme, _, credentials = authorization.partition(" ")
    decoded = base64.b64decode(credentials).decode().partition(":")[2] if scheme == "Basic" else ""
    return [secret for secret in (credentials, decoded) if secret]
