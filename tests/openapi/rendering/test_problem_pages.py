"""The texts of problems: the same for each occurrence, as JSON and in pieces for pages."""

import json
import re

import pytest

from openapi.problems import TABLE, Problem
from openapi.rendering.problem_pages import documents, heading, likeness, meaning, remedy
from openapi.serving.error_styles import ProblemDetails, title
from tests.openapi.test_problems import PARAMETERS

URL = "https://reports.example.com"
DOCUMENTS = dict(documents(URL))


@pytest.mark.parametrize("code", TABLE)
def test_the_json_of_a_problem_describes_its_type(code: str) -> None:
    """It has the type, title and status of responses; its texts are complete without a request."""
    page = json.loads(DOCUMENTS[f"/problems/{code}"])
    body = ProblemDetails(URL).body(Problem(code, **PARAMETERS))
    assert [page[name] for name in ("type", "title", "status")] == [body[name] for name in ("type", "title", "status")]
    assert page["help"].endswith(".")
    for words in (page["detail"], page["help"]):
        assert not {"{", "}"} & set(words)
        assert len(re.sub("<[a-z]+>", "", words).split()) > 1, words


@pytest.mark.parametrize("code", TABLE)
def test_the_pieces_are_the_texts_of_the_json(code: str) -> None:
    """There the names of parameters stand in brackets."""
    page = json.loads(DOCUMENTS[f"/problems/{code}"])
    for pieces, text in ((meaning(code), page["detail"]), (remedy(code), page["help"])):
        assert "".join(literal + (f"<{name}>" if name else "") for literal, name in pieces) == text


def test_the_list_has_the_whole_json_of_each_problem() -> None:
    """In the order of the table."""
    problems = json.loads(DOCUMENTS["/problems"])["problems"]
    assert problems == [json.loads(DOCUMENTS[f"/problems/{code}"]) for code in TABLE]
    assert DOCUMENTS.keys() == {"/problems", *(f"/problems/{code}" for code in TABLE)}


def test_people_read_abbreviations_as_they_are_written() -> None:
    """The title that programs get is as old as the problem."""
    assert heading("invalid_dpop_proof") == "Invalid DPoP proof"
    assert title("invalid_dpop_proof") == "Invalid dpop proof"
    headings = [heading(code) for code in TABLE]
    assert len({*headings}) == len(TABLE)
    for text in headings:
        assert not re.search(r"\b(dpop|json|http|api|gzip_|url)\b", text), text
        assert text[0].isupper()


@pytest.mark.parametrize(
    ("code", "error", "is_like"),
    [
        ("widget_not_registered", "widget_id 'a b' not registered", True),
        ("widget_not_registered", "event_type 'a b' not registered", False),
        ("widget_not_registered", "the widget_id 'a b' not registered", False),
        ("widget_not_registered", "widget_id 'a b' not registered here", False),
        ("malformed_json", "the body cannot be read as JSON: it is empty", True),
        ("idempotency_conflict", "the client_event_id was used before for other content", True),
        ("invalid_body", "occurred_at is required", False),
        ("unauthorized", "Authorization: Bearer required", True),
    ],
)
def test_an_error_is_like_the_template_that_it_was_made_from(code: str, error: str, is_like: bool) -> None:
    """From its first character to its last; a template without words is like none."""
    assert (likeness(code, error) > 0) is is_like


@pytest.mark.parametrize("code", TABLE)
def test_each_error_is_like_its_own_template(code: str) -> None:
    """The likeness counts the letters and digits of the template."""
    words = "".join(literal for literal, name in meaning(code)) if TABLE[code].about is None else ""
    if words:
        assert likeness(code, Problem(code, **PARAMETERS).error) == sum(map(str.isalnum, words))
