"""Documents that are read for comparison, and the lines of their values."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from openapi.contract import DOCUMENTS, ContractError, Document
from openapi.diff.reports.report import Report
from openapi.sources.loaded import read
from tests.openapi.sources.repository import commit

ROOT = """\
openapi: 3.0.3
info: {title: A, version: "1"}
paths:
  /a: {$ref: paths/a.yaml}
components:
  schemas:
    Pet: {$ref: "schemas/pet.yaml#/Pet"}
    Unused: {$ref: "no.yaml"}
"""
PATH = """\
post:
  requestBody:
    content:
      application/json:
        schema: {$ref: ../schemas/pet.yaml#/Pet}
  responses:
    "204": {description: Done.}
"""
PET = """\
Limits: &limits
  maxLength: 9
Pet:
  type: object
  properties:
    name:
      type: string
      <<: *limits
    owner:
      $ref: "#/Owner"
Owner:
  type: object
  properties:
    code: {type: string, maxLength: 7}
"""
FILES = {"openapi.yaml": ROOT, "paths/a.yaml": PATH, "schemas/pet.yaml": PET}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a document of three files in a directory of its own; it is the working directory."""
    commit(tmp_path / "r", {f"api/{name}": text for name, text in FILES.items()})
    monkeypatch.chdir(tmp_path / "r")
    return tmp_path / "r" / "api"


def test_each_change_has_its_file_and_line_in_both_documents(directory: Path) -> None:
    """Through aliases, merge keys, and references to other files; the old document is a revision."""
    text = PET.replace("maxLength: 9", "maxLength: 8").replace("Pet:", "\n\nPet:").replace("7}", "6}")
    (directory / "schemas" / "pet.yaml").write_text(text)
    old, new = read("HEAD:api/openapi.yaml"), read("api/openapi.yaml")
    assert old.marks
    assert new.marks
    places = [
        (change.rule, str(old.marks.of(change.pointer)), str(new.marks.of(change.pointer)))
        for change in Report.of(old, new, ("old", "new")).changes
    ]
    rule, name = "request-maxLength-narrowed", "api/schemas/pet.yaml"
    assert sorted(places) == [
        (rule, f"HEAD:{name}:14:26", f"{name}:16:26"),
        (rule, f"HEAD:{name}:2:3", f"{name}:2:3"),
    ]


def test_a_pointer_is_followed_through_references(directory: Path) -> None:
    """An absent value has the place of what is around it."""
    assert directory
    marks = read("api/openapi.yaml").marks
    assert marks
    body = "/paths/~1a/post/requestBody/content/application~1json/schema"
    positions = marks.positions([body, f"{body}/properties/owner/properties/code", f"{body}/no", "/info/no", ""])
    assert [str(position).removeprefix("api/") for position in positions.values()] == [
        *("paths/a.yaml:5:9", "schemas/pet.yaml:14:5", "schemas/pet.yaml:3:1", "openapi.yaml:2:1", "openapi.yaml:1:1"),
    ]


def test_a_reference_that_nothing_needs_may_lead_nowhere(directory: Path) -> None:
    """The error for one that is needed has the document, its file, line and column, and what helps."""
    document = read("api/openapi.yaml", "the new document")
    assert Report.of(document, document, ("a", "b")).changes == []
    (directory / "schemas" / "pet.yaml").write_text(PET.replace('"#/Owner"', '"https://example.com/x.yaml"'))
    document = read("api/openapi.yaml", "the new document")
    with pytest.raises(ContractError) as caught:
        Report.of(document, document, ("a", "b"))
    assert str(caught.value).startswith(
        "the new document: api/schemas/pet.yaml:10:7: $ref 'https://example.com/x.yaml' is remote, "
        "and nothing is fetched: bundle it into one file, for instance with "
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#/components/schemas/No", "'#/components/schemas/No' leads nowhere"),
        ("#/components/schemas/A", "'#/components/schemas/A' leads back to itself"),
        ("https://example.com/a", "'https://example.com/a' is remote"),
    ],
)
def test_a_bad_reference_in_one_file_has_its_line(tmp_path: Path, text: str, words: str) -> None:
    """In JSON, too."""
    path = tmp_path / "a.json"
    schema = {"$ref": "#/components/schemas/A"}
    paths = {"/a": {"get": {"responses": {"200": {"description": "", "content": {"a/json": {"schema": schema}}}}}}}
    value = {"info": {}, "paths": paths, "components": {"schemas": {"A": {"$ref": text}}}}
    path.write_text(json.dumps(value, indent=1))
    document = read(str(path))
    with pytest.raises(ContractError) as caught:
        document.resolve(schema)
    line = next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)
    assert str(caught.value).startswith(f"the document: {path}:{line}:") or words.endswith("itself")
    assert words in str(caught.value)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its places are in `standard input`."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"info: {}\npaths: {}\n")))
    document = read("-")
    assert document.marks
    assert str(document.marks.of("/paths")) == "standard input:2:1"


def test_a_file_goes_before_a_revision_of_that_name(directory: Path) -> None:
    """A name may have a colon."""
    (directory.parent / "HEAD:a").write_text("info: {title: mine}")
    assert read("HEAD:a").document == {"info": {"title": "mine"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('info: {}\nswagger: "2.0"', "the document: a.yaml:2:1: it is Swagger 2.0: convert it to OpenAPI 3"),
        ('{"swagger": "1.2"}', "the document: a.yaml:1:2: it is Swagger 1.2: convert it to OpenAPI 3"),
        ("[]", "the document: a.yaml:1:1: it is not an OpenAPI object with an info object"),
        ("info: 3", "the document: a.yaml:1:1: it is not an OpenAPI object with an info object"),
        ("", "the document: a.yaml:1:1: it is not an OpenAPI object with an info object"),
        ("a: 1\nb: c: d", "the document: a.yaml:2:5: it is not YAML"),
    ],
)
def test_what_is_not_openapi_3_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    """With the place, and what helps."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(text)
    with pytest.raises(ContractError) as caught:
        read("a.yaml")
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
def test_any_version_of_openapi_3_is_read(tmp_path: Path, version: str) -> None:
    """What can be compared is for the comparison to say."""
    path = tmp_path / "a.yaml"
    path.write_text(f"openapi: {version}\ninfo: {{}}")
    assert read(str(path)).document == {"openapi": version, "info": {}}


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("no.yaml", "no.yaml: No such file or directory"),
        (".", "Is a directory"),
        ("x" * 5000, "File name too long"),
        ("https://example.com/openapi.yaml", "nothing is fetched: download it"),
        ("no:openapi.yaml", "git knows no revision 'no' here"),
    ],
)
def test_what_is_not_there_is_said(directory: Path, argument: str, words: str) -> None:
    """The error names the argument."""
    assert directory
    with pytest.raises(ContractError, match=words):
        read(argument)


def test_the_text_of_a_document_can_be_published_from(directory: Path) -> None:
    """That of one plain file is its own; several files and aliases become JSON that has the same meaning."""
    assert directory
    path = DOCUMENTS / "interaction-reporting-1.1.yaml"
    assert read(str(path)).text == path.read_text()
    assert read(str(path)).digest == Document.of_file(path).digest
    document = read("api/openapi.yaml")
    assert Document.read(document.text).document == document.document
