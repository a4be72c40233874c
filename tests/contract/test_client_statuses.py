"""Each status of the contract reaches the clients for Python and TypeScript, as an error of its own class."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from db import hubs
from openapi.clients.python.errors import KINDS
from openapi.generate.languages.packages import python_wheel
from scripts.mock.command import PROGRAM
from scripts.mock.control import FAULTS, RESET
from tests.examples import EVENT, MAJOR, NEWEST
from tests.openapi.clients.typescript.programs import model, programs
from tests.postgresql import fresh_database
from tests.service import CONTRACTS, Service, running
from tests.tokens import SCOPES, client_of

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

BURST = 100
"""Items that a hub may send at once; each of them comes back after a second."""
MANY = [EVENT] * 90
"""Two of them are more than a burst. A request for a token takes an item, too."""
KEY = {"idempotency_key": "a key of its own"}
SECONDS = 60


@dataclass(frozen=True)
class Case:
    """A call, and the status that answers it; `method` and `options` have the names of the client for Python.

    `name` is that of the class of the error, empty for a success; `code` is that of the problem. `sender` has the
    credentials, and `media_type` replaces that of the operation.
    """

    status: int
    name: str
    code: str
    method: str
    arguments: list[Any] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    sender: str = "entitled"
    media_type: str = ""


REPORT, BATCH = "interaction_events.report", "interaction_events.report_batch"
DEEP: Any = json.loads("[" * 40 + "]" * 40)
CAUSED = [
    Case(201, "", "", REPORT, [EVENT], KEY),
    Case(200, "", "", BATCH, [MANY], sender="hasty"),
    Case(400, "BadRequest", "malformed_json", REPORT, [{**EVENT, "metadata": {"deep": DEEP}}]),
    Case(401, "Unauthorized", "invalid_token", "widgets.list", sender="unknown"),
    Case(403, "Forbidden", "insufficient_scope", "widgets.list", sender="limited"),
    Case(404, "NotFound", "nothing_by_name", "interaction_events.get", ["00000000-0000-0000-0000-000000000000"]),
    Case(409, "Conflict", "idempotency_conflict", REPORT, [{**EVENT, "event_type": "viewed"}], KEY),
    Case(413, "ContentTooLarge", "content_too_large", REPORT, [{**EVENT, "metadata": {"text": "x" * 65_536}}]),
    Case(415, "UnsupportedMediaType", "unsupported_media_type", REPORT, [EVENT], media_type="text/plain"),
    Case(422, "UnprocessableContent", "event_type_not_registered", REPORT, [{**EVENT, "event_type": "click"}]),
    Case(429, "TooManyRequests", "too_many_requests", BATCH, [MANY], sender="hasty"),
    Case(431, "HeadersTooLarge", "head_too_large", REPORT, [EVENT], {"idempotency_key": "k" * 40_000}),
]
"""What calls cause by themselves. A hub that has moved to version 2 gets the 403 of version 1."""
LINES = {"format": "ndjson"}
ORDERED = [
    Case(408, "RequestTimeout", "body_timeout", "annotations.list"),
    Case(410, "Gone", "version_retired", "annotations.export", options=LINES),
    Case(500, "ServerError", "internal_error", "annotations.export", options=LINES),
    Case(503, "Unavailable", "unavailable", "annotations.list"),
]
"""What a slow network, an operator, a fault or a lost database causes: the mock is ordered to answer GETs so."""
CASES = [*CAUSED, *ORDERED]

PYTHON = """\
import json, sys
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from interaction_reporting import Client
from interaction_reporting.errors import ApiError
given = json.loads(sys.argv[1])
clients = {sender: Client(given["url"], patience=0.0, **each) for sender, each in given["senders"].items()}
for case in json.loads(Path("cases.json").read_text()):
    client, media_type, statuses = clients[case["sender"]], case["media_type"], []
    def exchange(call, *rest):
        operation = replace(call.operation, media_type=media_type or call.operation.media_type)
        answer = type(client.caller).exchange(client.caller, replace(call, operation=operation), *rest)
        statuses.append(answer.status)
        return answer
    client.caller.exchange = exchange
    try:
        attrgetter(case["method"])(client)(*case["arguments"], **case["options"])
        shown = ["", statuses[-1]]
    except ApiError as error:
        shown = [type(error).__name__, error.status, error.code, error.detail, error.help]
        shown += [error.request_id, error.retry_after, error.body]
    except Exception as error:
        shown = [type(error).__name__, str(error)]
    print(json.dumps(shown))
"""
TYPESCRIPT = """
import { readFileSync } from "node:fs";
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const renamed = (options) => Object.fromEntries(Object.entries(options).map(([name, each]) => [camel(name), each]));
const clients = {};
for (const [sender, each] of Object.entries(given.senders)) {
  clients[sender] = new Client(given.url, { patienceMs: 0, ...renamed(each) });
}
for (const each of JSON.parse(readFileSync("cases.json"))) {
  const client = clients[each.sender];
  const statuses = [];
  client.caller.exchange = async function (call, ...rest) {
    if (each.media_type) call.fields["Content-Type"] = each.media_type;
    const answer = await Object.getPrototypeOf(this).exchange.call(this, call, ...rest);
    statuses.push(answer.status);
    return answer;
  };
  const [resource, method] = each.method.split(".").map(camel);
  try {
    await client[resource][method](...each.arguments, renamed(each.options));
    show(["", statuses.at(-1)]);
  } catch (error) {
    const { status, code, detail, help, requestId, retryAfter, body } = error;
    const isOurs = error instanceof errors.ApiError && error.constructor === errors[error.name];
    show(isOurs ? [error.name, status, code, detail, help, requestId, retryAfter, body] : [error.name, error.message]);
  }
}
"""


Run = Callable[[str, Path, dict[str, Any]], list[Any]]
"""Runs a program with the client of a version in a directory; returns what it shows."""


def run_python(version: str, directory: Path, given: dict[str, Any]) -> list[Any]:
    """What the program shows with the wheel for a version."""
    wheel = directory / "client.whl"
    wheel.write_bytes(python_wheel(model(version)).content)
    command = [sys.executable, "-W", "error", "-c", PYTHON, json.dumps(given)]
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    completed = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert completed.returncode == 0, completed.stderr
    return [json.loads(line) for line in completed.stdout.splitlines()]


def run_typescript(version: str, directory: Path, given: dict[str, Any]) -> list[Any]:
    """Likewise with the tarball."""
    return programs(directory, version).run(TYPESCRIPT, **given)


@pytest.fixture(scope="module")
def mock(embedded_url: str, template: str) -> Iterator[Service]:
    """A mock in which a hub may send `BURST` items at once."""
    limits = {"IR_RATE_LIMIT": "1", "IR_RATE_BURST": str(BURST)}
    with (
        fresh_database(embedded_url, "statuses", template) as url,
        running(url, program=PROGRAM, **limits) as started,
    ):
        yield started


def senders(mock: Service, version: str) -> dict[str, dict[str, str]]:
    """Credentials of each sender in `CASES`, as options of a client; each has a hub of its own."""
    if version == MAJOR:
        scopes = {"entitled": SCOPES, "hasty": SCOPES, "limited": frozenset({"usage:read"})}
        clients = {sender: client_of(mock, scopes=each) for sender, each in scopes.items()}
        options = {name: {"client_id": each.client_id, "client_secret": each.secret} for name, each in clients.items()}
        return {**options, "unknown": {"token": "wrong"}}
    names = {sender: f"{sender} {uuid4()}" for sender in ("entitled", "hasty", "limited")}
    with mock.database.begin() as connection:
        keys = {sender: {"api_key": hubs.create(connection, name)[1]} for sender, name in names.items()}
        hubs.cut_over(connection, names["limited"], None)
    return {**keys, "unknown": {"api_key": "wrong"}}


def documented(version: str) -> dict[int, set[str]]:
    """The names of the header fields of each status that the document gives for an operation."""
    contract = CONTRACTS[version]
    fields: dict[int, set[str]] = {}
    for operation in contract.operations:
        for status, response in contract.at(operation.pointer)["responses"].items():
            fields.setdefault(int(status), set()).update(contract.resolve(response)["headers"])
    return fields


@pytest.mark.parametrize("version", [NEWEST, MAJOR])
@pytest.mark.parametrize("run", [run_python, run_typescript], ids=["Python", "TypeScript"])
def test_each_status_has_its_class(run: Run, version: str, mock: Service, tmp_path: Path) -> None:
    """Each status in the document does, and each other one that has a class; the error says what the answer says."""
    assert httpx.post(mock.url + RESET).status_code == 204
    path = CONTRACTS[version].server_path + "/annotations"
    faults = [{"kind": "status", "status": case.status, "method": "GET", "path": path} for case in ORDERED]
    assert httpx.post(mock.url + FAULTS, json=faults).status_code == 200
    (tmp_path / "cases.json").write_text(json.dumps([asdict(case) for case in CASES]))
    shown = run(version, tmp_path, {"url": mock.url, "senders": senders(mock, version)})
    assert [each[:2] for each in shown] == [[case.name, case.status] for case in CASES]
    fields = documented(version)
    assert {status for _, status, *_ in shown} == fields.keys() | KINDS.keys(), "write a case of each status"
    refused = [(case, *each[2:]) for case, each in zip(CASES, shown, strict=True) if case.name]
    for case, code, detail, help_, request_id, retry_after, body in refused:
        assert code == (case.code if version == MAJOR else "")
        assert detail == body["detail" if version == MAJOR else "error"] != ""
        assert help_ == body["help"] != ""
        assert request_id
        assert (retry_after is not None) == ("Retry-After" in fields.get(case.status, ()))
