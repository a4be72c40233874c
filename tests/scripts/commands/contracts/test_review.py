"""The review of a pull request, in a repository of git, as a team of another API would run it."""

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from sarif_pydantic import Sarif
from typer.testing import CliRunner, Result

from openapi.contract import DOCUMENTS
from openapi.diff.reports.formats import Format
from scripts.cli import app

PETS = """\
openapi: 3.0.3
info: {title: Pets, version: 1.4.0}
paths:
  /pets:
    get:
      operationId: listPets
      parameters:
        - {name: limit, in: query, schema: {type: integer, maximum: 100}}
        - {name: sort, in: query, deprecated: true, x-sunset: '2026-01-31', schema: {type: string}}
      responses:
        '200':
          description: The pets.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}
    post:
      operationId: addPet
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewPet'}
      responses:
        '201': {description: Added.}
components:
  schemas:
    NewPet:
      type: object
      required: [name]
      properties:
        name: {type: string, maxLength: 50}
        tag: {type: string}
    Pet:
      type: object
      required: [id, name]
      properties:
        id: {type: integer}
        name: {type: string}
        kind: {type: string, enum: [cat, dog]}
"""
DONE, REFUSED, INCOMPARABLE = 0, 1, 2


class Edit(NamedTuple):
    """A change of the text; the status of its review, what that has to say, and a part of the annotated line."""

    old: str
    new: str
    status: int
    words: str
    line: str


TAG, ADDED = "        tag: {type: string}\n", "        '201': {description: Added.}\n"
SORT = "        - {name: sort, in: query, deprecated: true, x-sunset: '2026-01-31', schema: {type: string}}\n"
AGE = Edit(TAG, f"{TAG}        age: {{type: integer}}\n", REFUSED, "Raise info.version to 1.5.0", "age:")
EDITS = {
    "an optional property of requests": AGE,
    "the same with a new version": AGE._replace(status=DONE, words="info.version is 1.5.0, which is enough"),
    "a shorter name": Edit("maxLength: 50", "maxLength: 20", REFUSED, "Raise info.version to 2.0.0", "maxLength: 20"),
    "a required property of requests": Edit(
        "required: [name]", "required: [name, tag]", REFUSED, "body /tag is now required", "[name, tag]"
    ),
    "another value in answers": Edit(
        "enum: [cat, dog]", "enum: [cat, dog, bird]", REFUSED, 'may now be "bird"', "enum: [cat, dog, bird]"
    ),
    "an operation that goes": Edit("    post:\n", "    put:\n", REFUSED, "POST /pets was removed", "/pets:"),
    "a parameter that goes": Edit(SORT, "", REFUSED, "query parameter sort was removed", "parameters:"),
    "a description": Edit("The pets.", "All pets.", REFUSED, "Raise info.version to 1.4.1", ""),
    "a fault of OpenAPI": Edit("type: integer, max", "type: integr, max", REFUSED, "that lint found", "integr"),
    "an answer that is documented now": Edit(
        ADDED, f"{ADDED}        '409': {{description: Taken.}}\n", REFUSED, "Raise info.version to 1.5.0", "'409'"
    ),
}


def git(*arguments: str) -> None:
    """Run git in the working directory."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The document in a repository, whose first commit is the branch main."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IR_DATABASE_URL", "postgresql://user@127.0.0.1:1/none")
    path = tmp_path / "openapi.yaml"
    path.write_text(PETS)
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "Begin")
    return path


def review(*options: str, head: str = "openapi.yaml") -> Result:
    """The review of the file against the branch main."""
    arguments = ["contract", "review", "main:openapi.yaml", head, *options]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def edit(path: Path, old: str, new: str, version: str = "1.4.0") -> None:
    """Change the text at `path`, and its version."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1).replace("version: 1.4.0", f"version: {version}"))


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_reviewed(document: Path, name: str) -> None:
    """The comment says what to do, and an annotation stands at the changed line."""
    change = EDITS[name]
    edit(document, change.old, change.new, "1.5.0" if change.status == DONE else "1.4.0")
    done = review()
    assert done.exit_code == change.status, done.output
    assert change.words in done.stdout.replace("\\", "").replace("&#124;", "|")
    lines = re.findall(r"file=openapi\.yaml,line=(\d+)", review("--github").stdout)
    texts = document.read_text().splitlines()
    assert [change.line in texts[int(line) - 1] for line in lines[:1]] == ([True] if change.line else [])


def test_nothing_changed(document: Path) -> None:
    """Also if the file is only laid out otherwise."""
    document.write_text(
        json.dumps({"a": 1}) and PETS.replace("{description: Added.}", "\n          description: Added.")
    )
    done = review()
    assert (done.exit_code, "# Contract review: passes" in done.stdout) == (DONE, True)


def test_what_was_wrong_before_does_not_count(document: Path) -> None:
    """The review is of the change."""
    edit(document, "type: integer, maximum: 100", "type: integr, maximum: 100")
    git("commit", "-qam", "Begin again")
    edit(document, "description: Added.", "description: It is added.", "1.4.1")
    done = review()
    assert (done.exit_code, "2 that were there before do not count" in done.stdout) == (DONE, True)


def test_an_agreed_break_passes_until_its_day(document: Path) -> None:
    """The file beside the document is taken; the comment counts what it has, and names what it no longer needs."""
    edit(document, "maxLength: 50", "maxLength: 20")
    report = json.loads(review("--json").stdout)["diff"]
    (fingerprint,) = [change["fingerprint"] for change in report["changes"] if change["breaking"]]
    arguments = ["main:openapi.yaml", "openapi.yaml", "--fingerprint", fingerprint, "--reason", "Asked.", "--for-ever"]
    CliRunner().invoke(app, ["contract", "acknowledge", *arguments], catch_exceptions=False)
    done = review()
    assert (done.exit_code, "1 acknowledged, 0 expired, 0 unused" in done.stdout) == (DONE, True)
    assert "only by changes that are acknowledged or announced" in done.stdout
    git("commit", "-qam", "Break")
    assert "0 acknowledged, 0 expired, 1 unused" in review().stdout


def test_a_new_major_version_may_break(document: Path) -> None:
    """Unless no break may come."""
    edit(document, "maxLength: 50", "maxLength: 20", "2.0.0")
    assert review().exit_code == DONE
    done = review("--no-breaks")
    assert (done.exit_code, "Take back the breaking change" in done.stdout) == (REFUSED, True)


def test_a_version_that_has_no_order_leaves_breaks_to_fail(document: Path) -> None:
    """As for a version that is a date."""
    edit(document, "maxLength: 50", "maxLength: 20", "'2026-12-01'")
    done = review()
    assert (done.exit_code, "is no version that can be compared" in done.stdout) == (REFUSED, True)
    assert "Take back the breaking change" in done.stdout


def test_a_removal_after_its_sunset_is_minor_by_choice(document: Path) -> None:
    """With --sunsets, as the team of the API decides."""
    edit(document, SORT, "", "1.5.0")
    assert (review().exit_code, review("--sunsets").exit_code) == (REFUSED, DONE)


def test_the_files_of_a_review(document: Path) -> None:
    """Markdown, and SARIF with a run for the changes and one for the faults, each with its own name."""
    edit(document, "maxLength: 50", "maxLength: 20")
    edit(document, "type: integer, maximum: 100", "type: integr, maximum: 100")
    done = review("--comment", "review.md", "--sarif", "review.sarif")
    assert Path("review.md").read_text() == done.stdout
    log = Sarif.model_validate_json(Path("review.sarif").read_text())
    changes, faults = log.runs
    assert [result.rule_id for result in faults.results or []] == ["openapi", "openapi"]
    assert "request-maxLength-narrowed" in [result.rule_id for result in changes.results or []]
    raw = json.loads(Path("review.sarif").read_text())
    assert [run["automationDetails"]["id"] for run in raw["runs"]] == ["contract/diff/", "contract/lint/"]
    assert raw["runs"][1]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 8


def test_documents_that_cannot_be_compared(document: Path) -> None:
    """The status is another one, and the files say why: an earlier review does not stay."""
    document.write_text("a: b: c")
    reason = "the new document: openapi.yaml:1:5:"
    done = review("--comment", "review.md", "--sarif", "review.sarif", "--github")
    assert done.exit_code == INCOMPARABLE
    assert done.stdout.startswith(f"::error title=contract review::{reason}")
    assert done.stderr.startswith(f"error: {reason}")
    assert Path("review.md").read_text().startswith(f"# Contract review: not possible\n\n{reason}")
    (run,) = Sarif.model_validate_json(Path("review.sarif").read_text()).runs
    (invocation,) = run.invocations or []
    assert (run.results, invocation.execution_successful) == ([], False)
    assert json.loads(review("--json").stdout).keys() == {"error"}


@pytest.mark.usefixtures("document")
def test_a_file_that_cannot_be_written_is_named() -> None:
    """The other one says so, too."""
    done = review("--comment", "none/review.md", "--sarif", "review.sarif")
    assert (done.exit_code, "none" in done.stderr) == (INCOMPARABLE, True)
    assert "none" in Path("review.sarif").read_text()


@pytest.mark.parametrize("option", ["--comment", "--sarif"])
def test_no_file_that_is_read_is_written(document: Path, option: str) -> None:
    """It stays as it was."""
    edit(document, "maxLength: 50", "maxLength: 20")
    text = document.read_text()
    done = review(option, str(document))
    assert (done.exit_code, document.read_text()) == (INCOMPARABLE, text)
    assert "is read for the review: choose another file to write" in done.stderr


@pytest.mark.parametrize("option", ["--json", "--github", "--sarif=review.sarif"])
def test_a_document_gives_the_runner_no_commands(document: Path, option: str) -> None:
    """A line of the output that begins with `::` would be obeyed, whatever stands before it is blank."""
    hostile = "b\n::error file=x::no\r::stop-commands::q\n##[group]"
    schema = json.dumps({"type": "string", "enum": ["a", hostile]})
    reference = "{$ref: '#/components/schemas/NewPet'}"
    edit(document, f"application/json:\n            schema: {reference}", f"text/plain:\n            schema: {schema}")
    git("commit", "-qam", "Hostile")
    edit(document, schema, '{"type": "string", "enum": ["a"]}', "1.4.0")
    for arguments in (["review", option], ["diff"], *(["diff", "--format", form] for form in Format)):
        done = CliRunner().invoke(app, ["contract", arguments[0], "main:openapi.yaml", "openapi.yaml", *arguments[1:]])
        lines = re.split("[\r\n]+", done.stdout)
        is_for_runner = "--github" in arguments or "github" in arguments
        commands = [line for line in lines if line.lstrip().startswith(("::", "##["))]
        assert is_for_runner or commands == []
        assert not any("stop-commands" in line.partition("::")[2].partition("::")[0] for line in commands)


def test_files_have_their_names_in_the_repository(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub shows an annotation at a file by its name from the top, wherever the command runs."""
    (document.parent / "docs").mkdir()
    document.rename(document.parent / "docs" / "openapi.yaml")
    monkeypatch.chdir(document.parent / "docs")
    edit(Path("openapi.yaml"), "maxLength: 50", "maxLength: 20")
    assert "::error file=docs/openapi.yaml,line=" in review("--github").stdout


def test_a_passed_review_says_what_it_lets_pass(document: Path) -> None:
    """A break that is announced, or that a new major version allows, is no silence."""
    assert "No client of main:openapi.yaml is known to fail." in review().stdout
    edit(document, "maxLength: 50", "maxLength: 20", "2.0.0")
    assert "Clients of main:openapi.yaml can fail: the new version number says so." in review().stdout


def test_a_contract_of_this_service_is_linted_by_its_house_rules(document: Path) -> None:
    """Whatever a stranger's document may do."""
    text = (DOCUMENTS / "interaction-reporting-1.1.yaml").read_text()
    document.write_text(text)
    git("commit", "-qam", "Ours")
    document.write_text(text.replace("operationId: getUsage", "operationId: readUsage"))
    assert "operationId 'readUsage' names no operation" in review().stdout.replace("\\", "")
