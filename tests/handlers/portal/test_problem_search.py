"""The problems that a text is about."""

import pytest

from handlers.portal.problems.search import nearest, search
from openapi.problems import TABLE


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("dpop", ["invalid_dpop_proof"]),
        ("DPoP proof", ["invalid_dpop_proof"]),
        ("410", ["version_retired"]),
        ("cut_over", ["cut_over"]),
        ("https://reports.example.com/problems/invalid_body", ["invalid_body"]),
        ('"/problems/unavailable"', ["unavailable"]),
        ("event_type 'pipeline_started' not registered", ["event_type_not_registered"]),
        ("the body has 70000 bytes; the limit is 65536 bytes", ["content_too_large"]),
        ("key conflict", ["batch_key_conflict", "idempotency_conflict"]),
        ("nothing has these words", []),
        ("https://reports.example.com/problems/none", []),
    ],
)
def test_a_problem_is_found(query: str, codes: list[str]) -> None:
    """By words in any order and case, its status, its code, its type, or the error that a client got."""
    assert sorted(search(query)) == codes


def test_without_a_query_all_are_found() -> None:
    """In the order of the table."""
    assert search("") == list(TABLE)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("invalid_dpop_prof", "invalid_dpop_proof"),
        ("Event-Type-Not-Registered", "event_type_not_registered"),
        ("event_type_unregistered", "event_type_not_registered"),
        ("json", "malformed_json"),
    ],
)
def test_the_nearest_code_is_the_first(name: str, code: str) -> None:
    """Of at most three; or those with the same word."""
    assert nearest(name)[0] == code
    assert len(nearest(name)) <= 3


@pytest.mark.parametrize("name", ["zzz", "", "\u202e<script>", "x" * 100_000])
def test_a_name_may_be_like_none(name: str) -> None:
    """However long it is."""
    assert nearest(name) == []
