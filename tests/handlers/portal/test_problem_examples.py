"""The examples of problems: whole, in each format, and like what the service sends."""

import json
from string import Formatter

import pytest

from handlers.portal.problems import examples as problem_examples
from handlers.portal.problems.examples import answer, occurrence
from openapi.problems import TABLE, Problem
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorStyle, ProblemDetails, style_of
from openapi.standards.status_phrases import PHRASES
from tests.service import CONTRACTS

STYLES: dict[str, ErrorStyle] = {"1": ERROR_OBJECTS, "2": ProblemDetails("https://reports.example.com")}


@pytest.mark.parametrize("code", TABLE)
def test_an_example_has_the_parameters_of_its_problem(code: str) -> None:
    """It gives those that the templates have, except for the items of a batch, and no others."""
    templates = (TABLE[code].error, TABLE[code].help or "")
    needed = {name for template in templates for _, name, _, _ in Formatter().parse(template) if name}
    given = problem_examples._OCCURRENCES.get(code, problem_examples.Occurrence()).parameters.keys()
    assert given == needed
    assert isinstance(occurrence(code), Problem)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("code", TABLE)
def test_an_answer_has_its_status_its_fields_and_a_body(code: str, style: ErrorStyle) -> None:
    """The body is in the format of the version, over several lines."""
    head, _, body = answer(code, style).partition("\n\n")
    first, *fields = head.splitlines()
    status = TABLE[code].status
    assert first == f"HTTP/1.1 {status} {PHRASES[status]}"
    names = [field.partition(": ")[0].lower() for field in fields]
    assert names[0] == "content-type"
    assert ("retry-after" in names) is (status in (429, 503))
    assert ("www-authenticate" in names) is (status == 401 or code in ("insufficient_scope", "origin_not_listed"))
    assert json.loads(body)
    assert body.startswith("{\n  ")


def test_the_items_of_a_batch_say_what_is_wrong_with_them() -> None:
    """In version 1 the batch itself says nothing, and in version 2 it is a problem."""
    first, second = (json.loads(answer("items_rejected", style).partition("\n\n")[2]) for style in STYLES.values())
    assert first.keys() == {"results", "totals"}
    assert first["results"][1]["code"] == "event_type_not_registered"
    assert second["type"].endswith("/items_rejected")
    assert second["results"][1]["problem"]["type"].endswith("/event_type_not_registered")


def test_an_example_is_that_of_the_documents() -> None:
    """Where a document has an example with the same error, its other members are the same."""
    count = 0
    for contract in CONTRACTS.values():
        style = style_of(contract, "https://interaction-reporting.example")
        ours = [json.loads(answer(code, style).partition("\n\n")[2]) for code in TABLE]
        for response in contract.document["components"]["responses"].values():
            for media_type in response.get("content", {}).values():
                for example in media_type.get("examples", {}).values():
                    same = [each for each in ours if _error(each) and _error(each) == _error(example["value"])]
                    assert not same or example["value"] in same, example
                    count += len(same)
    assert count > 20


def test_urls_are_those_of_the_service() -> None:
    """In header fields and in the body."""
    text = answer("invalid_token", ERROR_OBJECTS, "https://reports.example.com")
    assert 'resource_metadata="https://reports.example.com/.well-known/' in text
    assert "https://reports.example.com/.well-known/" in answer(
        "cut_over", ERROR_OBJECTS, "https://reports.example.com"
    )


def _error(body: object) -> object:
    return (
        (body.get("type"), body.get("error"), body.get("detail"))
        if isinstance(body, dict) and "results" not in body
        else None
    )
