"""The work on documents: the results of the commands, and refusals of hostile documents, in this process."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from handlers.contracts.client_packages import LANGUAGES
from handlers.tools import limits, messages
from handlers.tools.messages import Task
from handlers.tools.process import answer
from handlers.tools.work import CLIENT, DIFF
from openapi.contract import DOCUMENTS, Document
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.report import Report
from openapi.generate.client_operations import client_model
from openapi.problems import Problem
from openapi.rendering.representations import Representation
from scripts.cli import app
from tests.handlers.tools.documents import MULTIPART, document, form, nested, pair

JSON, MARKDOWN, HTML = "application/json", "text/markdown", "text/html"
HOSTILE = "<script>alert(1)</script>"
OLD, NEW = (DOCUMENTS / f"interaction-reporting-{version}.yaml" for version in ("1.0", "1.1"))


def result(task: Task) -> Representation:
    """The result of `task`; Problem if it is refused."""
    return messages.result(answer(task.message()))


def difference(old: str | bytes, new: str | bytes, media_type: str = JSON) -> str:
    """The report on the changes from `old` to `new`."""
    return result(Task(DIFF, media_type, MULTIPART, form(old=old, new=new))).content.decode()


def client(content: str | bytes, language: str = "python") -> Representation:
    """The client of a document."""
    body = content.encode() if isinstance(content, str) else content
    return result(Task(CLIENT, language, "application/yaml", body))


@pytest.fixture
def _offline() -> Iterator[None]:
    """Nothing may open a connection."""
    with mock.patch.object(socket, "socket", side_effect=AssertionError("a connection is opened")):
        yield


def test_a_difference_is_that_of_the_command() -> None:
    """Byte for byte, but for the names of the documents, and the lines of files, which the tool does not have."""
    printed = CliRunner().invoke(app, ["contract", "diff", str(OLD), str(NEW), "--json"]).stdout
    printed = re.sub(r',\s+"file": [^\n]*\s+"line": \d+,\s+"column": \d+', "", printed)
    expected = printed.replace(str(OLD), "old").replace(str(NEW), "new")
    assert difference(OLD.read_bytes(), NEW.read_bytes(), JSON) == expected


@pytest.mark.parametrize(("media_type", "form"), [(MARKDOWN, Format.MARKDOWN), (HTML, Format.HTML)])
def test_a_difference_has_the_formats_of_the_command(media_type: str, form: Format) -> None:
    """Markdown and HTML."""
    report = Report.of(Document.of_file(OLD), Document.of_file(NEW), ("old", "new"))
    assert difference(OLD.read_bytes(), NEW.read_bytes(), media_type) == rendered(report, form)


def test_a_break_has_its_proof() -> None:
    """A request that the old document accepts, in each format."""
    old, new = document({"type": "string", "maxLength": 3}), document({"type": "string", "maxLength": 2})
    (change,) = json.loads(difference(old, new))["changes"]
    assert (change["breaking"], change["certainty"]) == (True, "proved")
    for media_type in (MARKDOWN, HTML):
        assert "POST /things HTTP/1.1" in difference(old, new, media_type)


def test_a_page_escapes_the_texts_of_documents() -> None:
    """Names, descriptions and values."""
    new = document({"type": "object", "required": [HOSTILE], "properties": {HOSTILE: {"enum": [HOSTILE]}}})
    page = difference(document(), new.replace("/things", f"/things{HOSTILE}"), HTML)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_is_the_package_of_its_language(language: str) -> None:
    """The one that the service makes of its own contracts, as a file with a name."""
    package = LANGUAGES[language][0](client_model(Document.of_file(NEW)))
    made = client(NEW.read_bytes(), language)
    assert (made.content, made.file_name, made.media_type) == (package.content, package.file_name, package.media_type)
    assert made == Representation.of_file(package.media_type, package.content, package.file_name)


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "the document is not an OpenAPI object"),
    "a list": ("[1, 2]", "the document is not an OpenAPI object"),
    "a text": ("hello", "the document is not an OpenAPI object"),
    "no UTF-8": (b"\xff\xfe", "byte 0 is not UTF-8"),
    "aliases": ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]", "line 2: YAML aliases are not accepted"),
    "tags": ("info: !!python/object/apply:os.getcwd []", "line 1: YAML tags are not accepted"),
    "a key twice": (document()[:-1] + ', "info": {}}', "the key 'info' occurs twice"),
    "100 levels": (nested(100), "the document is nested more than 100 levels deep"),
    "10,000 levels": (nested(10_000), "the document is nested more than 100 levels deep"),
    "10,000 levels of YAML": ("info: " + "[" * 10_000, "the document is nested more than 100 levels deep"),
    "a million brackets": ("[" * 1_000_000, "the document is nested more than 100 levels deep"),
    "a huge integer": (document({"maximum": 1}).replace(": 1}", f": {'9' * 5000}}}"), "the document is not YAML"),
    "a huge exponent": (document({"maximum": 1}).replace(": 1}", ": 1e999}"), "the document is not YAML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_document_is_refused(case: str) -> None:
    """By both tools; the error names the document, and the place."""
    sent, fault = REFUSED[case]
    for name, refuse in (
        ("document", lambda: client(sent)),
        ("old document", lambda: difference(sent, document())),
        ("new document", lambda: difference(document(), sent)),
    ):
        with pytest.raises(Problem) as refused:
            refuse()
        assert (refused.value.code, refused.value.status) == ("document_refused", 422)
        assert refused.value.error.startswith(f"the {name} is refused: {fault}")


REFERENCES = ["http://127.0.0.1:1/a.yaml", "https://host/a#/b", "file:///etc/passwd", "a.yaml#/A", "//host/a"]


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_to_another_place_is_refused(reference: str) -> None:
    """It is not fetched, and not read."""
    fault = f"$ref '{reference}' does not stay within the document"
    sent = document({"$ref": reference})
    with pytest.raises(Problem) as refused:
        client(sent)
    assert (refused.value.status, refused.value.error) == (422, f"no client can be made of this document: {fault}")
    with pytest.raises(Problem) as refused:
        difference(document(), sent)
    assert (refused.value.status, refused.value.error) == (422, f"the documents cannot be compared: {fault}")


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (document(openapi="3.1.0"), "/openapi: it is '3.1.0', and only 3.0 is known"),
        (document({"allOf": [{"anyOf": [{"minimum": 1}]}, {"minimum": 2}]}), "/paths/~1things/post/"),
        (document(paths=[]), "paths is not an object"),
        (document({"$ref": "#/components/schemas/A"}, {"A": {"$ref": "#/components/schemas/A"}}), "$ref '#/comp"),
        (document({"$ref": "#/components/schemas/A"}, {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}}), "/comp"),
        (document(paths={"/a": {"get": {"responses": [1], "parameters": [5]}}}), "it is no valid OpenAPI 3.0"),
        (document(paths={"/\ud800": 5}), "/\\ud800 is not an object"),
    ],
    ids=["3.1", "allOf", "no paths", "itself", "itself in allOf", "misshapen", "a surrogate"],
)
def test_a_document_outside_the_profile_gets_no_client(sent: str, error: str) -> None:
    """The error has the JSON pointer and the reason; nothing is made by halves."""
    with pytest.raises(Problem) as refused:
        client(sent)
    assert (refused.value.code, refused.value.status) == ("document_outside_profile", 422)
    assert refused.value.error.startswith(f"no client can be made of this document: {error}")
    refused.value.error.encode()


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        (document(openapi="3.2.0"), "the new document is OpenAPI 3.2.0; OpenAPI 3.0 and 3.1 are compared"),
        (document({"maximum": 10**4000}), "maximum has a number that is too large to be compared"),
    ],
    ids=["3.2", "a huge number"],
)
def test_what_cannot_be_compared_is_refused(new: str, fault: str) -> None:
    """The error says why."""
    with pytest.raises(Problem, match="documents_incomparable") as refused:
        difference(document(), new)
    assert (refused.value.status, refused.value.error) == (422, f"the documents cannot be compared: {fault}")


MANY = {f"S{number}": {"maxLength": number} for number in range(10_000)}
SURVIVED: dict[str, Callable[[int], Any]] = {
    "10,000 schemas": lambda number: document({"maxLength": number}, MANY),
    "1,000 operations": lambda number: document(
        paths={f"/{index}": {"get": {"responses": {"200": {"description": "x" * number}}}} for index in range(1000)}
    ),
    "80 levels": lambda number: nested(80 + number),
    "a schema within itself": lambda number: document(
        {"$ref": "#/components/schemas/A"},
        {"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}}, "maxProperties": number}},
    ),
    "huge numbers": lambda number: document(
        {"type": "number", "maximum": 10**300, "multipleOf": 1e-300, "minimum": number}
    ),
    "huge lengths": lambda number: document({"type": "array", "minItems": 10**9 + number, "maxLength": 10**30}),
    "slow patterns": lambda number: document({"type": "string", "pattern": f"^(a|a)*{'b{1000}' * number}$"}),
    "surrogates": lambda number: document(info={"title": "\ud800" * number, "version": "1.0"}),
    "control characters": lambda number: document(info={"title": "\x00\x1b[31m" * number, "version": "1.0"}),
}


@pytest.mark.parametrize("media_type", [JSON, MARKDOWN, HTML])
@pytest.mark.parametrize("case", SURVIVED)
def test_a_hostile_document_is_compared(case: str, media_type: str) -> None:
    """The report is whole."""
    report = difference(SURVIVED[case](1), SURVIVED[case](2), media_type)
    assert "\x00" not in report
    if media_type == JSON:
        assert json.loads(report)["changes"]


@pytest.mark.parametrize("case", sorted(SURVIVED.keys() - {"10,000 schemas"}))
def test_a_client_of_a_hostile_document_is_whole_or_refused(case: str) -> None:
    """Nothing else comes of it; test_workshop has what takes long."""
    message = answer(Task(CLIENT, "python", "application/yaml", SURVIVED[case](2).encode()).message())
    assert message.startswith((b'{"result": ["application/zip"', b'{"problem": ["document_outside_profile"'))


def test_json_has_a_lone_surrogate_as_an_escape() -> None:
    """UTF-8 cannot have it, and the change is still that of the document."""
    added = {"/\ud800": {"get": {"responses": {"204": {"description": "Done."}}}}}
    (change,) = json.loads(difference(document(paths={}), document(paths=added)))["changes"]
    assert change["operations"] == ["GET /\ud800"]


def test_a_result_has_a_limit() -> None:
    """The error says which."""
    with mock.patch.object(limits, "RESULT_BYTES", 10), pytest.raises(Problem) as refused:
        difference(document(), document())
    assert refused.value.error == "the work on the documents takes more than 16 MiB of result"


def test_nesting_beyond_the_stack_is_a_limit() -> None:
    """The error says which."""
    with (
        mock.patch("handlers.tools.process.work", side_effect=RecursionError),
        pytest.raises(Problem) as refused,
    ):
        difference(document(), document())
    assert refused.value.error == "the work on the documents takes more than the nesting that the service follows"


def test_a_fault_of_the_program_tells_no_word_of_the_documents() -> None:
    """The worker learns the kind of the error and its place alone."""
    with (
        mock.patch("handlers.tools.process.work", side_effect=OSError(f"a secret {HOSTILE}")),
        pytest.raises(RuntimeError, match=r"^the work on documents failed: OSError at mock\.py:\d+$"),
    ):
        result(Task(DIFF, JSON, JSON, pair("a", "b")))
