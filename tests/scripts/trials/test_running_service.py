"""What `fuzz --url` finds in a running service, and the error for each service that cannot be fuzzed."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from scripts.cli import app
from scripts.trials.running_service import RunningService, origin
from tests.answering import answering
from tests.examples import MAJOR, NEWEST, WIDGET
from tests.service import CONTRACTS, Service
from tests.tokens import client_of

KEY = "irk_a-key-of-no-hub"
Page = tuple[int, Any]
LISTED = {"contracts": [{"version": NEWEST, "status": "active", "links": {"document": f"/contracts/{NEWEST}"}}]}
PAGES: dict[str, Page] = {
    "/contracts": (200, LISTED),
    f"/contracts/{NEWEST}": (200, CONTRACTS[NEWEST].document),
    "/api/v1/hub-capability-manifest": (404, {}),
    "/api/v1/widgets": (200, {"items": [{"id": WIDGET}], "has_more": False}),
    "/api/v1/event-types": (200, {"items": [{"name": "clicked"}], "has_more": False}),
    "/api/v1/interaction-events": (200, {}),
}
"""A service that can be fuzzed."""


@contextmanager
def serving(**pages: Page) -> Iterator[str]:
    """The URL of a server with PAGES, changed by `pages`: status and JSON by the last part of the path."""
    changed = {path: pages.get(path.rpartition("/")[2].replace("-", "_"), page) for path, page in PAGES.items()}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, value = changed.get(self.path.partition("?")[0], (404, {}))
            content = json.dumps(value).replace("THE KEY", self.headers.get("Authorization", "")).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Location", "https://other.example/contracts")
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def fuzz(tmp_path: Path) -> Callable[..., Result]:
    """Runs `fuzz` on a URL with a key, and expects that it ends before Schemathesis starts."""

    def run(url: str, *options: str, key: str = KEY) -> Result:
        (file := tmp_path / "key").write_text(key)
        arguments = ["fuzz", "--url", url, "--key-file", str(file), "--report-dir", str(tmp_path / "reports"), *options]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 2, result.output
        assert not (tmp_path / "reports").exists()
        assert key not in result.output
        assert "writes to" not in result.stderr
        return result

    return run


def words(result: Result) -> str:
    """Standard error on one line, without the frame around a usage error."""
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    "url",
    [
        "http://host:99999",
        "http://host:65536",
        "http://host:0",
        "http://host:-1",
        "http://host:port",
        "http://[::1",
        "http://",
        "host",
        "ftp://host",
        "http://host?a=b",
        "http://host#a",
        "http://ho st",
        "http://höst",
        "http://host/\n",
        "",
    ],
)
def test_a_wrong_url_is_a_usage_error(url: str) -> None:
    """The error shows the URL and the right form."""
    with pytest.raises(typer.BadParameter, match=r"--url is '.*'; it must be of the form https://host or"):
        origin(url)


def test_a_url_with_a_password_is_a_usage_error() -> None:
    """The error does not repeat it."""
    with pytest.raises(typer.BadParameter, match="--url has a user name or password") as caught:
        origin("https://a:secret@host")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://host", "http://host:1", "https://host:65535", "http://[::1]:80", "http://h/a"])
def test_a_right_url_is_accepted(url: str) -> None:
    """With and without a final slash."""
    assert origin(url) == origin(f"{url}/") == url


@pytest.mark.parametrize(
    ("pages", "error"),
    [
        pytest.param({"contracts": (200, ["1.1"])}, "/contracts is not a list of contracts", id="another JSON"),
        pytest.param(
            {"contracts": (200, {"contracts": [{}]})}, "/contracts is not a list of contracts", id="other rows"
        ),
        pytest.param({"contracts": (404, {})}, "without the /api/v1 of a version?", id="no page"),
        pytest.param({"contracts": (200, {"contracts": []})}, "serves no contract", id="no contract"),
        pytest.param({"contracts": (500, {"a": 1})}, "/contracts answers 500, '{\"a\": 1}'", id="500"),
        pytest.param({"contracts": (302, {})}, "redirects to 'https://other.example/contracts'", id="a redirect"),
        pytest.param({NEWEST: (200, {"openapi": "3.0.3"})}, "/contracts/1.1 is not a contract", id="no document"),
        pytest.param({"widgets": (401, {})}, "refuses the key of --key-file: 401", id="401"),
        pytest.param({"event_types": (403, {})}, "refuses the key of --key-file: 403", id="403"),
        pytest.param({"widgets": (500, {})}, "does not list widgets: 500", id="no list"),
        pytest.param({"widgets": (200, {"items": []})}, "'interaction-reporting widget register NAME'", id="no widget"),
        pytest.param(
            {"hub_capability_manifest": (200, {"widgets": [{"id": WIDGET}]})}, "no active widget", id="its own widget"
        ),
        pytest.param(
            {"event_types": (200, {"items": []})}, "'interaction-reporting event-type register NAME", id="no event type"
        ),
        pytest.param(
            {"event_types": (200, {"items": [{"name": "a", "metadata_schema": {"type": "object"}}]})},
            "no active event type without a metadata_schema",
            id="an event type with a schema",
        ),
        pytest.param({"interaction_events": (422, {"a": 1})}, "refuses an event: 422, '{\"a\": 1}'", id="no event"),
        pytest.param({"interaction_events": (422, {"a": "THE KEY"})}, "refuses an event: 422", id="a repeated key"),
    ],
)
def test_a_service_that_cannot_be_fuzzed_is_reported(
    pages: dict[str, Page], error: str, fuzz: Callable[..., Result]
) -> None:
    """The command exits 2 before it writes anything; the error says why, without the key."""
    with serving(**pages) as url:
        assert f"error: {url}" in (text := words(fuzz(url)))
    assert error in text


def test_an_unreachable_service_is_reported(fuzz: Callable[..., Result]) -> None:
    """Nothing listens on the port, or the server hangs up, or it does not speak HTTP."""
    assert "error: http://127.0.0.1:1 cannot be reached: " in words(fuzz("http://127.0.0.1:1"))
    for part in (b"", b"SSH-2.0-OpenSSH_9.2\r\n"):
        with answering(part, hangs_up=True) as server:
            assert f"error: {server.url} cannot be reached: " in words(fuzz(server.url))


def test_a_wrong_key_is_reported(newest: Service, fuzz: Callable[..., Result]) -> None:
    """With the reason that the service gives; nothing is stored."""
    before = len(newest.events())
    result = fuzz(newest.url, "--contract", NEWEST)
    assert f"error: {newest.url} refuses the key of --key-file: 401, '" in words(result)
    assert len(newest.events()) == before


def test_nothing_is_written_before_every_contract_has_its_credentials(
    newest: Service, fuzz: Callable[..., Result], tmp_path: Path
) -> None:
    """A right key does not start the run if the next contract's client is refused, lacks scopes or is absent."""
    before = len(newest.events())
    assert f"contract {MAJOR} needs --client-file FILE, which" in words(fuzz(newest.url, key=newest.key))
    (file := tmp_path / "client").write_text("irc_none\nirs_none\n")
    unknown = fuzz(newest.url, "--client-file", str(file), key=newest.key)
    assert "gives the client of --client-file no token: 401" in words(unknown)
    client = client_of(newest, scopes=frozenset(["events:write"]))
    file.write_text(f"{client.client_id}\n{client.secret}\n")
    lacking = fuzz(newest.url, "--client-file", str(file), key=newest.key)
    assert "the client of --client-file lacks the scopes " in words(lacking)
    assert f"hub change-client {client.client_id} --scopes" in words(lacking)
    assert not any(secret in result.output for secret in (client.secret, "irs_none") for result in (unknown, lacking))
    assert len(newest.events()) == before


def test_the_versions_to_fuzz_are_those_of_the_service(newest: Service, fuzz: Callable[..., Result]) -> None:
    """Another version is a usage error that names them."""
    result = fuzz(newest.url, "--contract", NEWEST, "--contract", "7.0", key=newest.key)
    assert f"--contract is 7.0; {newest.url} serves {NEWEST}, {MAJOR}" in words(result)


def test_events_name_what_outlives_the_hubs_manifest() -> None:
    """The first widget and event type that the hub's own manifest does not have; a list may have several pages."""
    manifest = {"widgets": [{"id": WIDGET}], "event_types": [{"name": "clicked"}]}
    widgets = {"items": [{"id": WIDGET}, {"id": "another"}]}
    event_types = {"items": [{"name": "clicked"}, {"name": "a", "metadata_schema": {}}, {"name": "rated"}]}
    pages = {
        "hub_capability_manifest": (200, manifest),
        "widgets": (200, widgets),
        "event_types": (200, event_types),
    }
    with serving(**pages) as url, httpx.Client() as client:
        subject = RunningService(url, client).subject(CONTRACTS[NEWEST], KEY)
    assert (subject.url, subject.key) == (url, KEY)
    assert (subject.widget_id, subject.event_type) == ("another", "a")


def test_the_check_of_a_service_stores_nothing(newest: Service) -> None:
    """A subject of each contract is found, with the widget and the event type of the examples, in a dry run."""
    client = client_of(newest)
    before = len(newest.events())
    with httpx.Client() as http:
        service = RunningService(newest.url, http)
        paths = service.served()
        assert [*paths] == [NEWEST, MAJOR]
        for version, key in ((NEWEST, newest.key), (MAJOR, f"{client.client_id}:{client.secret}")):
            contract = service.contract(paths[version])
            subject = service.subject(contract, key)
            assert contract.version == version
            assert (subject.widget_id, subject.event_type) == (WIDGET, "clicked")
            assert key not in repr(subject)
    assert len(newest.events()) == before
