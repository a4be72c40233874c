"""Reason phrases: those of Python 3.11, whichever version runs."""

import pytest
from uvicorn.protocols.http import httptools_impl

from openapi.problems import TABLE
from openapi.protocol import cycle, refusal
from openapi.protocol.cycle import fix_status_lines
from openapi.standards.status_phrases import PHRASES


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (413, "Request Entity Too Large"),
        (414, "Request-URI Too Long"),
        (416, "Requested Range Not Satisfiable"),
        (422, "Unprocessable Entity"),
    ],
)
def test_a_phrase_does_not_depend_on_the_python_version(
    monkeypatch: pytest.MonkeyPatch, status: int, phrase: str
) -> None:
    """For phrases that differ by version: in status lines of uvicorn and ours."""
    assert PHRASES[status] == phrase
    monkeypatch.setitem(httptools_impl.STATUS_LINE, status, b"HTTP/1.1 %d Of another Python\r\n" % status)
    fix_status_lines()
    assert httptools_impl.STATUS_LINE[status] == f"HTTP/1.1 {status} {phrase}\r\n".encode()
    assert all(vars(module)["STATUS_LINE"] is httptools_impl.STATUS_LINE for module in (refusal, cycle))


def test_each_problem_has_a_phrase() -> None:
    """The table of phrases covers the table of problems."""
    assert {problem.status for problem in TABLE.values()} <= PHRASES.keys()
