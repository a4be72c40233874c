"""The form of a document: whatever is typed gets a page, and nothing is stored that a command would refuse."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from db import contracts
from db.audit import Author
from db.engine import Database
from db.errors import Refused
from handlers.contracts import lifecycle
from openapi.contract import Contract
from tests.examples import NEWEST
from tests.handlers.admin.contracts.conftest import CONTRACTS_PAGE, PUBLISH, document, publish, row, tighter, wider
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.service import CONTRACTS, Service

LIMIT = 2 * 1024 * 1024
ALIASES = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ninfo: {version: '1.2', x: *c}\n"


@pytest.fixture(scope="module")
def editor(newest: Service) -> Iterator[AdminBrowser]:
    """An editor of the shared service, where nothing is published."""
    with signed_in(newest, "an editor of documents", "editor") as browser:
        yield browser


def versions(service: Service) -> list[str]:
    """The versions in the database."""
    with service.database.begin() as connection:
        return [each.contract_version for each in contracts.list_all(connection)]


def changed(change: Callable[[dict[str, Any]], object], version: str = "1.2") -> str:
    """The newest contract as `version`, with `change` made to the whole document."""
    copy = json.loads(document(version=version))
    change(copy)
    return json.dumps(copy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Enter an OpenAPI 3.0 document"),
        (" \n\t ", "Enter an OpenAPI 3.0 document"),
        ("just words", "The document is not an OpenAPI object with an info object."),
        ("a: [", "The document is not YAML with the types of JSON"),
        ("a: b: c", "The document is not YAML with the types of JSON"),
        ("\x00", "The document is not YAML"),
        ("<script>alert(1)</script>", "not an OpenAPI object"),
        ("{" * 5000, "The document is nested more than 100 levels deep"),
        ("[" * 5000, "The document is nested more than 100 levels deep"),
        (ALIASES, "YAML aliases are not accepted"),
        ("!!python/object/apply:os.system ['true']", "YAML tags are not accepted"),
        ('{"info": {"version": "1.2", "version": "1.3"}}', "The key 'version' occurs twice"),
        ("openapi: 3.0.3\ninfo: {title: x, version: 1.2}", "not of the form MAJOR.MINOR"),
        ('{"info": {"version": "1.2"}, "paths": {"/x": {"$ref": "file:///etc/passwd"}}}', "does not stay within"),
        ('{"info": {"version": "1.2"}}', "It breaks"),
        ('{"openapi": "3.0.3", "info": {"version": "1.2"}, "paths": 5}', "It breaks"),
        ('{"openapi": "3.1.0", "info": {"version": "1.2", "title": "x"}, "paths": {}}', "It breaks"),
        ('{"openapi": "3.0.3", "info": {"version": "1.2", "title": "x"}, "paths": {}, "components": []}', "It breaks"),
        (changed(lambda copy: copy["info"].update(title="Other"), NEWEST), "1.1 is published with other content"),
        (changed(lambda copy: copy.update(servers=[{"url": "/admin"}])), "the service itself uses this path"),
        (changed(lambda copy: copy.update(servers=[{"url": "/a b"}])), "It"),
        (document(tighter), "The version must be 2.0 and not 1.2"),
    ],
    ids=lambda value: value[:20].strip().replace("\0", "NUL") or "blank",
)
def test_a_document_that_cannot_be_published(editor: AdminBrowser, text: str, words: str) -> None:
    """422, with the reason at the field; what was typed is kept, and nothing is stored."""
    before = versions(editor.service)
    page = publish(editor, text)
    assert page.status_code == 422
    assert words in text_of(page)
    assert 'href="#document"' in page.text
    assert 'id="document-fault"' in page.text
    assert "<script>alert" not in page.text
    assert 'value="publish"' not in page.text
    assert versions(editor.service) == before


@pytest.mark.parametrize(
    "key", ["paths", "components", "servers", "security", "info", "tags", "openapi", "externalDocs"]
)
@pytest.mark.parametrize("value", [None, 5, [[]], {"": None}])
def test_no_document_breaks_the_page(editor: AdminBrowser, key: str, value: Any) -> None:
    """A part of another type: a page, never an error of the service."""
    page = publish(editor, changed(lambda copy: copy.update({key: value})), "check")
    assert page.status_code in {200, 422}, text_of(page)


@pytest.mark.parametrize("key", ["schemas", "parameters", "responses", "securitySchemes", "headers"])
@pytest.mark.parametrize("value", [None, [], {"a": None}, {"a": {"$ref": "#/components"}}])
def test_no_component_breaks_the_page(editor: AdminBrowser, key: str, value: Any) -> None:
    """Likewise."""
    page = publish(editor, changed(lambda copy: copy["components"].update({key: value})), "check")
    assert page.status_code in {200, 422}, text_of(page)


def raw(browser: AdminBrowser, content: bytes) -> httpx.Response:
    """The response to the bytes of a form."""
    headers = {"origin": browser.service.url, "content-type": "application/x-www-form-urlencoded"}
    return browser.client.post(PUBLISH, content=content, headers=headers)


def test_a_form_may_have_2_mebibytes(editor: AdminBrowser) -> None:
    """And not a byte more; any other form may have 64 KiB."""
    head = f"token={editor.token()}&do=check&document=".encode()
    page = raw(editor, head + b"x" * (LIMIT - len(head)))
    assert page.status_code == 422
    assert "not an OpenAPI object" in text_of(page)
    page = raw(editor, head + b"x" * (LIMIT + 1 - len(head)))
    assert page.status_code == 413
    assert "Nothing was changed. A form may have 2,048 KiB." in text_of(page)
    large = editor.post(f"{CONTRACTS_PAGE}/1.1/rehearse", {"last": "9" * 65536})
    assert large.status_code == 413
    assert "A form may have 64 KiB." in text_of(large)


def test_requests_go_on_while_a_large_document_is_examined(editor: AdminBrowser) -> None:
    """A form of 2 MiB that has to be decoded, and read as YAML: others wait for none of it."""
    filler = "".join(f"  k{number}: '%'\n" for number in range(60_000))
    content = urlencode({"token": editor.token(), "do": "check", "document": f"info:\n{filler}"[:600_000]}).encode()
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(raw(editor, content[:LIMIT]).status_code))
    waits = []
    with httpx.Client(base_url=editor.service.url) as client:
        client.get("/health/live")
        thread.start()
        while thread.is_alive():
            began = time.monotonic()
            client.get("/health/live")
            waits.append(time.monotonic() - began)
            time.sleep(0.005)
        thread.join()
    assert done == [422]
    assert sorted(waits)[len(waits) * 9 // 10] < 0.25


def test_a_document_is_kept_as_it_was_typed(own: Service) -> None:
    """With its comments, its blanks and characters of any script; line ends are line feeds."""
    text = "# ünïcode \N{OWL}\n" + CONTRACTS[NEWEST].text.replace("version: '1.1'", "version: '1.2'", 1).replace(
        'version: "1.1"', 'version: "1.2"', 1
    )
    with signed_in(own, "erna", "editor") as browser:
        assert publish(browser, text.replace("\n", "\r\n"), why="a copy").status_code == 303
        assert row(own, "1.2").document == text
        again = publish(browser, text)
        assert again.status_code == 303
        assert "Contract 1.2 is published already, with this content." in text_of(
            browser.get(again.headers["location"])
        )
        form = browser.get(f"{PUBLISH}?from=1.2")
        assert "# ünïcode" in text_of(form)
        other = publish(browser, text.replace("# ü", "# u").replace("info:", "info:\n  x-a: 1", 1))
        assert other.status_code == 422
        assert "Contract 1.2 is published with other content" in text_of(other)


def test_a_change_that_is_not_proved_compatible_is_acknowledged(own: Service) -> None:
    """By its fingerprint, with a reason; both are needed."""

    def patterned(schemas: dict[str, Any]) -> None:
        schemas["InteractionEvent"]["properties"]["view_context_ref"]["pattern"] = "^(a|b|.|\\n)*$"

    text = document(patterned)
    with signed_in(own, "erna", "editor") as browser:
        page = publish(browser, text, "check")
        assert page.status_code == 200, text_of(page)
        assert "if you acknowledge what is not proved compatible; otherwise it needs the version 2.0." in text_of(page)
        boxes = [part.partition('"')[0] for part in page.text.split('name="acknowledge" value="')[1:]]
        assert boxes
        assert publish(browser, text, why="it is").status_code == 422
        without_why = publish(browser, text, acknowledge=boxes)
        assert without_why.status_code == 422
        assert "Say why the acknowledged changes break no client." in text_of(without_why)
        assert "checked" in without_why.text
        assert publish(browser, text, acknowledge=["0" * 16], why="it is").status_code == 422
        assert "1.2" not in versions(own)
        assert publish(browser, text, acknowledge=boxes, why="it accepts everything").status_code == 303
        assert "it accepts everything" in text_of(browser.get(f"{CONTRACTS_PAGE}/1.2"))


def test_what_was_examined_next_to_other_rows_is_not_stored(database: Database) -> None:
    """Another contract was published, or activated, meanwhile."""
    with database.begin() as connection:
        rows = contracts.list_all(connection)
        lifecycle.publish(connection, Contract.read(document(wider)), Author("alice"))
    with database.begin() as connection, pytest.raises(Refused, match="while this document was examined"):
        lifecycle.publish_examined(connection, Contract.read(document(version="1.3")), rows, Author("bob"))
    with database.begin() as connection:
        assert "1.3" not in [each.contract_version for each in contracts.list_all(connection)]


@pytest.mark.slow
def test_a_document_that_takes_too_long_delays_nobody(editor: AdminBrowser) -> None:
    """What its references expand to grows by two at each level: the work is ended, and other pages go on."""

    def hostile(contract: dict[str, Any]) -> None:
        schemas = contract["components"]["schemas"]
        for level in range(30):
            part = {"$ref": f"#/components/schemas/S{level + 1}"}
            schemas[f"S{level}"] = {"allOf": [part, part]}
        schemas["S30"] = {"type": "string"}
        schemas["InteractionEvent"]["properties"]["view_context_ref"] = {"$ref": "#/components/schemas/S0"}

    with ThreadPoolExecutor(2) as pool:
        checking = pool.submit(publish, editor, changed(hostile, "1.9"))
        other = pool.submit(editor.get, "/contracts/1.0/diff/2.0")
        assert other.result(timeout=60).status_code == 200
        page = checking.result(timeout=60)
    assert page.status_code == 422
    assert "takes more than" in text_of(page)
