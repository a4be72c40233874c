"""The tools over HTTP: for the callers that the setting names, within limits, and without harm to other requests."""

import base64
import hashlib
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import mock

import httpx
import psutil
import pytest

from handlers.tools import limits, tool_pages, workshop
from handlers.tools.bodies import MOST_BYTES
from openapi.contract import DOCUMENTS
from openapi.diff.reports.html_report import LAYOUT
from openapi.requests import content as contents
from tests.examples import EVENT
from tests.handlers.conftest import Hub
from tests.handlers.tools.documents import document, form, pair
from tests.handlers.tools.test_workshop import BUSY, HURRIED, SLEEP
from tests.postgresql import fresh_database
from tests.service import Service, running
from tests.tokens import bearer, from_afar

KEY = "0123456789abcdef"
JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=BOUNDARY"}
YAML = {"Content-Type": "application/yaml"}
PLAIN = {"Content-Type": "text/plain"}
SAME = pair(document(), document())
NARROWED = pair(document({"type": "string", "maxLength": 3}), document({"type": "string", "maxLength": 2}))


@pytest.fixture(scope="module")
def public(embedded_url: str, template: str) -> Iterator[Service]:
    """A service with tools for everybody."""
    with fresh_database(embedded_url, "public_tools", template) as url, running(url, IR_TOOLS="everybody") as started:
        yield started


@pytest.fixture(scope="module")
def operated(embedded_url: str, template: str) -> Iterator[Service]:
    """A service with tools for operators."""
    with (
        fresh_database(embedded_url, "operated_tools", template) as url,
        running(url, IR_TOOLS="operators", IR_OPERATOR_KEY=KEY) as started,
    ):
        yield started


def post(
    service: Service, path: str = "/tools/diff", content: bytes = SAME, headers: Mapping[str, str] = JSON
) -> httpx.Response:
    """The response to a request, from an address of its own unless `headers` have one."""
    return httpx.post(f"{service.url}{path}", content=content, headers={**JSON, **from_afar(), **headers}, timeout=60)


@contextmanager
def processes(code: str) -> Iterator[None]:
    """Processes that run `code` in place of the work."""
    with mock.patch.object(workshop, "COMMAND", (sys.executable, "-P", "-c", code)):
        yield


def running_processes(code: str) -> list[psutil.Process]:
    """The processes that run `code` now."""
    return [child for child in psutil.Process().children() if code in child.cmdline()]


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait until `is_so()`; the limit of the test ends it."""
    while not is_so():
        time.sleep(0.01)


def test_by_default_there_are_no_tools(newest: Service) -> None:
    """The response is that of an unknown path."""
    unknown = httpx.post(f"{newest.url}/tools/nothing")
    for path in ("/tools", "/tools/diff", "/tools/clients/python"):
        response = post(newest, path, headers=bearer(KEY))
        assert (response.status_code, response.json()) == (404, unknown.json())


def test_a_difference_is_negotiated(public: Service) -> None:
    """JSON, Markdown and HTML, all with the proof of the break; JSON if the client accepts anything."""
    expected = {
        "": "application/json",
        "*/*": "application/json",
        "text/markdown": "text/markdown; charset=utf-8",
        "text/html,*/*;q=0.1": "text/html; charset=utf-8",
    }
    for accept, media_type in expected.items():
        response = post(public, content=NARROWED, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, media_type)
        assert "POST /things HTTP/1.1" in response.text
    assert post(public, headers={"Accept": "image/png"}).status_code == 406


def test_curl_sends_files(public: Service, tmp_path: Path) -> None:
    """As the README says."""
    old, new = (DOCUMENTS / f"interaction-reporting-{version}.yaml" for version in ("1.0", "1.1"))
    command = ["curl", "-sf", f"{public.url}/tools/diff", "-F", f"old=@{old}", "-F", f"new=@{new}"]
    printed = subprocess.run([*command, "-H", "Accept: text/markdown"], capture_output=True, text=True, check=True)
    assert printed.stdout.startswith("# old to new: ")
    command = ["curl", "-sfOJ", f"{public.url}/tools/clients/python", "-F", f"document=@{new}"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (wheel,) = tmp_path.iterdir()
    served = httpx.get(f"{public.url}/contracts/1.1/clients/{wheel.name}").content
    assert wheel.read_bytes() == served


def test_a_client_is_a_file_with_its_digest(public: Service) -> None:
    """From the whole body, in YAML or JSON."""
    for media_type in ("application/yaml", "application/json"):
        response = post(public, "/tools/clients/python", document().encode(), {"Content-Type": media_type})
        assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
        name = "things_client-1.0.1-py3-none-any.whl"
        assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert response.headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'


def test_an_unknown_language_is_not_found(public: Service) -> None:
    """The response has those that there are."""
    response = post(public, "/tools/clients/cobol", document().encode())
    assert response.status_code == 404
    assert response.json()["help"].startswith("There are clients for these languages: python")


def test_a_document_outside_the_profile_gets_the_pointer(public: Service) -> None:
    """422, and nothing else."""
    response = post(public, "/tools/clients/python", document(openapi="3.1.0").encode(), YAML)
    assert response.status_code == 422
    assert response.json()["error"] == (
        "no client can be made of this document: /openapi: it is '3.1.0', and only 3.0 is known"
    )


def test_no_response_is_stored_or_runs_anything(public: Service) -> None:
    """Refusals too: strict headers, and no script of a document."""
    hostile = pair(document(), document().replace("/things", "/<script>alert(1)</script>"))
    for content in (SAME, hostile, b"{"):
        response = post(public, content=content, headers={"Accept": "text/html"})
        assert "<script" not in response.text
        assert response.headers["content-security-policy"] == LAYOUT.policy
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["vary"] == "Accept, Authorization"


@pytest.mark.parametrize(
    ("path", "content", "headers", "status"),
    [
        ("/tools/diff", b"", JSON, 400),
        ("/tools/diff", b"{}", JSON, 422),
        ("/tools/diff", b"\xff", MULTIPART, 400),
        ("/tools/diff", form(old=document()), MULTIPART, 422),
        ("/tools/diff", b"a: 1", YAML, 415),
        ("/tools/diff", b"a: 1", PLAIN, 415),
        ("/tools/diff", b"\x1f\x8b", JSON | {"Content-Encoding": "gzip"}, 415),
        ("/tools/diff", pair(document(), " " * (MOST_BYTES + 1)), JSON, 413),
        ("/tools/diff", b" " * (5 * MOST_BYTES), JSON, 413),
        ("/tools/clients/python", b" " * (MOST_BYTES + 1), YAML, 413),
        ("/tools/clients/python", b"", YAML, 422),
        ("/tools/clients/python", form(document=b"\xff"), MULTIPART, 422),
    ],
)
def test_other_bodies_are_refused(
    public: Service, path: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Each with a remedy."""
    response = post(public, path, content, headers)
    assert response.status_code == status
    assert response.json()["help"]


def test_only_post_is_allowed(public: Service) -> None:
    """A document is no query."""
    for path in ("/tools/diff", "/tools/clients/python"):
        response = httpx.get(f"{public.url}{path}")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_an_address_has_a_rate(public: Service) -> None:
    """Ten requests at once, whatever they have; then others from the same address wait."""
    here = from_afar()
    statuses = [post(public, headers={**PLAIN, **here}).status_code for _ in range(10)]
    refused = post(public, headers=here)
    assert [*statuses, refused.status_code] == [415] * 10 + [429]
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert post(public).status_code == 200


def test_the_key_of_the_operator_is_required(operated: Service) -> None:
    """As the password of any user, or as a bearer token; without it nothing is read."""
    password = {"Authorization": "Basic " + base64.b64encode(f"me:{KEY}".encode()).decode()}
    assert [post(operated, headers=headers).status_code for headers in (password, bearer(KEY))] == [200, 200]
    for headers in ({}, bearer(f"{KEY}x"), operated.authorization):
        for path in ("/tools/diff", "/tools/clients/python", "/tools/clients/cobol"):
            response = post(operated, path, b"{", headers)
            assert (response.status_code, "www-authenticate" in response.headers) == (401, True)


def test_guessing_the_key_is_stopped_on_all_pages(operated: Service) -> None:
    """The wrong keys are counted together with those for the migration."""
    here = from_afar()
    for path, method in (("/tools/diff", "POST"), ("/migration", "GET")) * 5:
        wrong = httpx.request(method, operated.url + path, headers=here | bearer("wrong"))
        assert wrong.status_code == 401
    assert post(operated, headers=here | bearer(KEY)).status_code == 429
    assert httpx.get(f"{operated.url}/migration", headers=here | bearer(KEY)).status_code == 429


def test_an_operator_has_no_rate(operated: Service) -> None:
    """More requests than an address may send without the key."""
    here = from_afar() | bearer(KEY)
    assert {post(operated, headers=here | PLAIN).status_code for _ in range(12)} == {415}


def test_work_beyond_the_limits_harms_no_other_request(public: Service, new_hub: Callable[[Service], Hub]) -> None:
    """Events are stored meanwhile, other documents wait, and the service goes on."""
    hub, slow = new_hub(public), pair(BUSY, BUSY.replace('"x"', '"y"'))
    responses: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: responses.append(post(public, content=slow)))
    with processes(HURRIED):
        thread.start()
        wait_until(lambda: running_processes(HURRIED))
        busy = post(public)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert hub.post("/interaction-events", EVENT).status_code == 201
        thread.join()
    assert responses[0].status_code == 422
    assert responses[0].json()["error"].endswith("takes more than 10 seconds of processor time")
    assert post(public).status_code == 200


def test_the_work_ends_with_its_client(public: Service) -> None:
    """The next client need not wait for it. A connection that is only closed may still read, so this one is reset."""
    head = f"POST /tools/diff HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(SAME)}\r\n"
    with processes(SLEEP), mock.patch.object(limits, "WALL_SECONDS", 600):
        with socket.create_connection(("127.0.0.1", public.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(f"{head}X-Forwarded-For: 192.0.2.77\r\n\r\n".encode() + SAME)
            wait_until(lambda: running_processes(SLEEP))
        wait_until(lambda: not running_processes(SLEEP))
    assert post(public).status_code == 200


def test_a_slow_body_is_refused(public: Service) -> None:
    """So that it does not keep others out."""
    head = f"POST /tools/diff HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(SAME)}\r\n"
    with (
        mock.patch.object(tool_pages, "BODY_SECONDS", 0.5),
        mock.patch.object(contents, "SLOWEST", 0.001),  # much time for each byte
        socket.create_connection(("127.0.0.1", public.port)) as connection,
    ):
        connection.sendall(f"{head}X-Forwarded-For: 192.0.2.78\r\n\r\n".encode())
        connection.settimeout(0.1)
        response = b""
        for byte in SAME:
            connection.sendall(bytes([byte]))
            with suppress(TimeoutError):
                response = connection.recv(100)
            if response:
                break
    assert response.startswith(b"HTTP/1.1 408 ")


def test_a_fault_of_the_program_is_no_fault_of_a_document(public: Service, caplog: pytest.LogCaptureFixture) -> None:
    """500, and the log has no word of the documents."""
    with processes("raise SystemExit(3)"):
        assert post(public, content=pair("a secret", "another secret")).status_code == 500
    assert "the work on documents ended with status 3" in caplog.text
    assert "secret" not in caplog.text


def test_no_log_has_a_word_of_the_documents(public: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Whether they are served or refused."""
    caplog.set_level("DEBUG")
    info = {"title": "a secret", "version": "1.0"}
    assert post(public, content=pair(document(info=info), document(info=info))).status_code == 200
    assert post(public, content=pair("secret: &secret [*secret]", "secret")).status_code == 422
    assert "secret" not in caplog.text + str([vars(record) for record in caplog.records])
