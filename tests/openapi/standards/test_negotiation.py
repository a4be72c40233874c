"""Content negotiation: the preferred representation, and conditional requests."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Scope

from openapi.standards.negotiation import LONGEST, is_not_modified, preferred

JSON, YAML, MARKDOWN = OFFERS = ["application/json", "application/yaml", "text/markdown"]
HOSTILE = ["a/b" + " " * 30_000 + "x", "a/b," * 8_000, '"' * 32_000, 'a/b;c="' + "\\" * 32_000, ";" * 32_000]


def request(field: str, *values: str) -> Scope:
    """A request with a header field once for each of `values`."""
    return {"headers": [(field.encode(), value.encode("latin-1")) for value in values]}


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        pytest.param([], JSON, id="no field"),
        pytest.param([""], JSON, id="an empty field"),
        pytest.param([" ,"], JSON, id="an empty list"),
        pytest.param(["*/*"], JSON, id="anything"),
        pytest.param(["text/html, */*;q=0.1"], JSON, id="anything else"),
        pytest.param(["text/*"], MARKDOWN, id="a type"),
        pytest.param([YAML], YAML, id="one"),
        pytest.param(["Application/YAML"], YAML, id="in capitals"),
        pytest.param(["application/yaml;q=0.5, text/markdown;q=0.6"], MARKDOWN, id="by weight"),
        pytest.param(["application/yaml, application/json"], JSON, id="two alike"),
        pytest.param(["application/json;q=0, */*"], YAML, id="anything but one"),
        pytest.param(["application/*;q=0.9, application/json;q=0.1"], YAML, id="the more specific range counts"),
        pytest.param(["application/json;q=0.001"], JSON, id="hardly"),
        pytest.param(["text/html", "application/yaml"], YAML, id="two lines of the field"),
        pytest.param(["application/yaml; charset=utf-8"], YAML, id="with a parameter"),
        pytest.param(
            ["application/yaml;version=3;q=0.2, text/markdown;q=0.1"], YAML, id="with a parameter and a weight"
        ),
        pytest.param(["application/json;q=x, text/markdown;q=0.1"], MARKDOWN, id="a malformed weight"),
        pytest.param(["text/html"], None, id="another"),
        pytest.param(["*/*;q=0"], None, id="nothing"),
        pytest.param(["application/json;q=0"], None, id="not the one"),
        pytest.param(["application/json;q=2"], None, id="a weight beyond one"),
        pytest.param(["*/yaml"], None, id="no range"),
        pytest.param(["yaml"], None, id="no media type"),
        pytest.param(['a/b;c="d, application/yaml"'], None, id="one within quotes"),
        pytest.param([f"{YAML}, " + "a/b, " * LONGEST], JSON, id="a field that is too long to be looked at"),
    ],
)
def test_the_preferred_representation_is_chosen(accept: list[str], chosen: str | None) -> None:
    """By weight, then in the order of the offers (RFC 9110 section 12.5.1)."""
    assert preferred(request("accept", *accept), OFFERS) == chosen


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        pytest.param([], False, id="no field"),
        pytest.param(['"abc"'], True, id="the tag"),
        pytest.param(['W/"abc"'], True, id="as a weak one"),
        pytest.param(["*"], True, id="any"),
        pytest.param([" * "], True, id="any, with white space"),
        pytest.param(['"x" , W/"abc"'], True, id="in a list"),
        pytest.param(['"x"', '"abc"'], True, id="in two lines of the field"),
        pytest.param(['"ab"'], False, id="another"),
        pytest.param(['"ABC"'], False, id="in capitals"),
        pytest.param(['"x,abc"'], False, id="within another"),
        pytest.param(['"x", *'], False, id="a star in a list"),
        pytest.param(['"abc'], False, id="without an end"),
        pytest.param(['""'], False, id="an empty one"),
        pytest.param(['"abc", ' + '"x", ' * LONGEST], False, id="a field that is too long to be looked at"),
    ],
)
def test_a_representation_that_the_client_has_is_recognized(if_none_match: list[str], known: bool) -> None:
    """By weak comparison (RFC 9110 section 13.1.2)."""
    assert is_not_modified(request("if-none-match", *if_none_match), "abc") is known


@settings(deadline=None)
@given(st.text(st.characters(codec="latin-1"), max_size=60) | st.text('abcq/*;,="W\\ .01'))
def test_no_field_raises_anything(field: str) -> None:
    """Any field value has a result."""
    assert preferred(request("accept", field), OFFERS) in (*OFFERS, None)
    assert is_not_modified(request("if-none-match", field), "neither sent") is (field.strip(" \t") == "*")


@pytest.mark.parametrize("field", HOSTILE)
def test_a_hostile_field_takes_no_time(field: str) -> None:
    """A value that would take a library seconds is never passed to it."""
    began = time.process_time()
    preferred(request("accept", field), OFFERS)
    is_not_modified(request("if-none-match", field), "abc")
    assert time.process_time() - began < 0.1
