"""The table of problems: statuses, texts and headers, and the response that a client gets."""

from typing import Any

import pytest

from openapi.problems import TABLE, Problem, joined

PARAMETERS: dict[str, Any] = {
    "scope": "events:write",
    "origin": "'https://app.example'",
    "rejected": 1,
    "received": 2,
    "others": "the others are stored",
    "again": "only these",
    "detail": "a reason",
    "method": "PUT",
    "allowed": "GET or HEAD",
    "seconds": 2.5,
    "size": 2,
    "limit": 1,
    "found": "'text/plain'",
    "expected": "application/json",
    "errors": "a is required",
    "remedies": "Add a.",
    "field": "a",
    "remedy": "Leave it out.",
    "name": "clicked",
    "id": "5b0e3c9a",
    "rate": 100,
    "burst": 1000,
    "key": "Idempotency-Key",
    "what": "event type 'clicked'",
    "owner": "another hub",
    "narrowings": "/a is required now",
    "version": 2,
    "count": 1001,
    "how": "as it is, ",
    "bytes": 32768,
    "fields": 100,
    "successor": "/api/v2",
    "metadata": "https://host/.well-known/oauth-authorization-server",
    "why": ": it was revoked",
    "language": "cobol",
    "extra": "codegen",
    "fault": "/paths: it is empty",
}
CLOSING = {"malformed_request", "head_timeout", "body_timeout", "head_too_large"}


@pytest.mark.parametrize("code", TABLE)
def test_each_problem_says_what_is_wrong_and_what_to_do(code: str) -> None:
    """The texts of each row are complete: an error that can follow a colon, and a help in sentences."""
    problem = Problem(code, **PARAMETERS)
    assert problem.status in range(400, 600)
    assert problem.error
    assert not problem.error.endswith(".")
    assert not {"{", "}"} & {*problem.error, *(problem.help or "")}
    if code == "unauthorized":  # its shape is as old as the service
        assert problem.body() == {"error": "Authorization: Bearer required"}
    else:
        assert problem.help
        assert problem.help[0].isupper()
        assert problem.help.endswith(".")
        assert problem.body() == {"error": problem.error, "help": problem.help}


@pytest.mark.parametrize("code", TABLE)
def test_a_connection_closes_where_the_end_of_a_request_is_unknown(code: str) -> None:
    """Only problems of requests that did not arrive completely close the connection (RFC 9112 section 9.6)."""
    assert ((b"connection", b"close") in Problem(code, **PARAMETERS).headers) is (code in CLOSING)


@pytest.mark.parametrize("code", [code for code, kind in TABLE.items() if kind.status == 503])
def test_each_503_says_when_to_retry(code: str) -> None:
    """Each 503 carries Retry-After (RFC 9110 section 10.2.3), in whole seconds."""
    assert dict(Problem(code, **PARAMETERS).headers)[b"retry-after"].isdigit()


def test_a_problem_adds_headers_to_those_of_its_row() -> None:
    """It keeps the headers of its kind, adds its own, and leaves the table as it was."""
    assert Problem("unavailable", [(b"x-a", b"1")]).headers == [(b"retry-after", b"1"), (b"x-a", b"1")]
    assert Problem("unavailable").headers == [(b"retry-after", b"1")]


def test_a_reason_is_for_the_log_alone() -> None:
    """The problem has the reason, and no client sees it."""
    problem = Problem("not_found", reason="a reason")
    assert problem.reason == "a reason"
    assert "a reason" not in str(problem.body())


def test_a_text_of_a_client_is_not_a_template() -> None:
    """The error repeats a client's braces as they are."""
    problem = Problem("event_type_not_registered", name="{name} {0} {")
    assert problem.error == "event_type '{name} {0} {' not registered"


@pytest.mark.parametrize(("code", "parameters"), [("no_such_problem", {}), ("malformed_json", {})])
def test_a_problem_needs_its_row_and_its_parameters(code: str, parameters: dict[str, Any]) -> None:
    """An unknown code and a missing parameter are faults of the program: KeyError."""
    with pytest.raises(KeyError):
        Problem(code, **parameters)


@pytest.mark.parametrize("code", TABLE)
def test_transient_problems_are_those_that_advise_to_retry(code: str) -> None:
    """The same request may succeed later exactly if the help says to send it again after Retry-After."""
    problem = Problem(code, **PARAMETERS)
    assert problem.is_transient is ("again" in (problem.help or "") and "Retry-After" in (problem.help or ""))


def test_a_problem_may_have_a_pointer() -> None:
    """The pointer is for the results of items; the problem's own response omits it."""
    problem = Problem("invalid_body", errors="a is required", remedies="Add a.", pointer="/a")
    assert problem.pointer == "/a"
    assert problem.body().keys() == {"error", "help"}
    assert Problem("not_found").pointer is None


def test_one_problem_joined_is_itself() -> None:
    """A single problem keeps its code and texts, whatever code several would have."""
    problem = Problem("event_type_not_registered", name="a")
    assert joined([problem]) is problem
    assert joined([problem], "conflicts") is problem


def test_several_problems_may_have_another_code() -> None:
    """With the status of that code, and the pointer of the first problem."""
    first = Problem("name_taken", what="widget 'a'", owner="another hub", pointer="/widgets/0")
    problem = joined([first, Problem("version_lowered", name="b", version=2)], "conflicts")
    assert (problem.code, problem.status, problem.pointer) == ("conflicts", 409, "/widgets/0")
    assert problem.error == (
        "widget 'a' is registered by another hub with another meaning; event type 'b' already has version 2"
    )


def test_several_problems_join_into_one() -> None:
    """The errors are joined, and so are the helps; a problem without help adds none."""
    problem = joined(
        [
            Problem("invalid_body", errors="a is required", remedies="Add a."),
            Problem("unauthorized"),
            Problem("invalid_body", errors="b is required", remedies="Add b."),
        ]
    )
    assert (problem.code, problem.status) == ("invalid_body", 422)
    assert problem.body() == {
        "error": "a is required; Authorization: Bearer required; b is required",
        "help": "Add a. Add b.",
    }
