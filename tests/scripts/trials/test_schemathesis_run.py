"""What the reports of Schemathesis say of a service."""

from pathlib import Path

import pytest

from scripts.trials.schemathesis_run import Verdict, verdict_of
from tests.examples import NEWEST
from tests.service import CONTRACTS

FAILURE = '<failure type="failure" message="">1. Test Case ID: a\n\n- Undocumented HTTP status code</failure>'
NETWORK = (
    '<error type="error">Network Error\n\nConnection failed Last request before the error: a\n\n'
    "Reproduce with:\n\n    curl -H 'Authorization: x'</error>"
)
UNAVAILABLE = '<error type="error">Server Unavailable\n\nThe server stopped responding</error>'
SCHEMA = '<error type="error">Schema Error\n\nInvalid reference</error>'


@pytest.mark.parametrize(
    ("cases", "verdict", "notes"),
    [
        pytest.param([FAILURE], Verdict.BROKEN, [], id="broken"),
        pytest.param([NETWORK], Verdict.UNANSWERED, ["1 times no answer"], id="no answer"),
        pytest.param([UNAVAILABLE], Verdict.UNANSWERED, ["1 times no answer"], id="no service"),
        pytest.param([SCHEMA], Verdict.INCOMPLETE, ["not tested: Schema Error Invalid reference"], id="a part"),
        pytest.param([], Verdict.INCOMPLETE, [], id="nothing"),
        pytest.param([NETWORK, FAILURE], Verdict.BROKEN, ["1 times no answer"], id="broken, and no answer"),
        pytest.param([SCHEMA, FAILURE], Verdict.BROKEN, ["not tested: Schema"], id="broken, and a part"),
        pytest.param(
            [SCHEMA, UNAVAILABLE, NETWORK],
            Verdict.UNANSWERED,
            ["2 times no answer. The first: Server Unavailable", "not tested: Schema"],
            id="no answer, and a part",
        ),
    ],
)
def test_the_verdict_is_that_of_the_reports(
    cases: list[str], verdict: Verdict, notes: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken promise counts most, then a request without an answer; the errors are noted, without the request."""
    report = tmp_path / "junit-1.xml"
    text = "".join(f'<testcase name="POST /annotations">{case}</testcase>' for case in cases)
    report.write_text(f'<testsuites><testsuite name="schemathesis">{text}</testsuite></testsuites>')
    assert verdict_of(CONTRACTS[NEWEST], {report}) is verdict
    printed = capsys.readouterr().err
    assert all(f"contract {NEWEST}: {note}" in printed for note in notes)
    assert len(printed.splitlines()) == len(notes)
    assert "curl" not in printed


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsuite"])
def test_a_run_without_a_whole_report_is_incomplete(text: str | None, tmp_path: Path) -> None:
    """Schemathesis was killed, for instance, before or while it wrote the report."""
    reports = set()
    if text is not None:
        reports.add(tmp_path / "junit-1.xml")
        (tmp_path / "junit-1.xml").write_text(text)
    assert verdict_of(CONTRACTS[NEWEST], reports) is Verdict.INCOMPLETE
