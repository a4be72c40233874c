"""Schemas as people type them."""

import pytest

from openapi.metadata import texts
from openapi.metadata.texts import UnacceptedSchema
from openapi.metadata.trial import Trial

SCORE = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_is_no_schema(text: str) -> None:
    """It accepts any metadata."""
    assert texts.read(text) is None


def test_numbers_keep_their_digits() -> None:
    """As in any other body."""
    schema = texts.read(
        '{"type": "object", "properties": {"n": {"type": "number", "maximum": 0.12345678901234567890}}}'
    )
    assert schema is not None
    assert str(schema["properties"]["n"]["maximum"]) == "0.12345678901234567890"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{", "", "this is not JSON"),
        ('"\\ud800"', "", "U+D800 cannot be stored"),
        ('{"type": "object", "properties": {"a": {"title": "\\u0000"}}}', "/properties/a/title", "U+0000"),
        ('{"type": "string"}', "", "metadata is an object"),
    ],
)
def test_a_fault_has_its_place(text: str, place: str, words: str) -> None:
    """Whatever is wrong."""
    with pytest.raises(UnacceptedSchema) as raised:
        texts.read(text)
    (fault,) = raised.value.faults
    assert fault.pointer == place
    assert words in fault.message


def test_a_narrower_schema_is_refused() -> None:
    """None is the widest."""
    texts.require_not_narrower(SCORE, None)
    texts.require_not_narrower(SCORE, SCORE)
    with pytest.raises(UnacceptedSchema) as raised:
        texts.require_not_narrower(None, SCORE)
    assert raised.value.faults[0].pointer == "/required"


def test_what_failed_before_does_not_newly_fail() -> None:
    """Only what the schema in force accepts counts; one in force that cannot be read refuses nothing."""
    limited = {**SCORE, "properties": {"score": {"type": "integer", "maximum": 9}}}
    trial = Trial(SCORE, limited)
    assert trial.newly_fails({"score": 3}) is None
    assert trial.newly_fails({"score": "high"}) is None
    problem = trial.newly_fails({"score": 12})
    assert problem is not None
    assert problem.error == "metadata/score is above 9"
    for in_force in (None, {"type": "nonsense"}):
        assert Trial(in_force, limited).newly_fails(None) is not None
    assert Trial(SCORE, None).newly_fails({"score": "high"}) is None
    with pytest.raises(ValueError, match="keyword"):
        Trial(None, {"type": "object", "typ": 1})
