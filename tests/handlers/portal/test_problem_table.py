"""What the pages add to the table of problems is complete, and leads to what exists."""

from collections import Counter

import pytest

from handlers.portal.problems import table as problem_table
from handlers.portal.problems.table import STEPS, Where, remedies, step_of, where
from openapi.problems import TABLE
from tests.service import CONTRACTS


def test_each_problem_belongs_to_one_step() -> None:
    """A new problem needs a place in the list."""
    codes = [code for step in STEPS for code in step.codes.split()]
    assert Counter(codes) == Counter(list(TABLE))
    assert all(code in step_of(code).codes.split() for code in TABLE)


def test_what_can_be_sent_again_is_among_what_waits() -> None:
    """A problem that may pass without a change of the request has 429 or 503."""
    for code, kind in TABLE.items():
        if step_of(code).name == "Wait, then send it again":
            assert kind.status in (429, 503), code
        elif kind.status in (429, 503):
            assert code == "contract_unreadable"


@pytest.mark.parametrize("codes", [*problem_table._WHERE.values(), *problem_table._REMEDIES])
def test_a_row_names_problems(codes: str) -> None:
    """Each once."""
    assert Counter(codes.split()) <= Counter(list(TABLE))


def test_a_problem_of_credentials_is_of_the_versions_with_these() -> None:
    """And a problem of the pages of no version."""
    versions = {
        code: [version for version, contract in CONTRACTS.items() if where(code).covers(contract)] for code in TABLE
    }
    assert versions["unauthorized"] == versions["cut_over"] == ["1.0", "1.1"]
    assert versions["invalid_token"] == versions["insufficient_scope"] == ["2.0"]
    assert versions["invalid_body"] == ["1.0", "1.1", "2.0"]
    assert versions["contract_not_found"] == []
    assert where("contract_not_found") is Where.BESIDE


@pytest.mark.parametrize("code", TABLE)
def test_the_operation_of_a_remedy_is_in_the_versions_of_its_problem(code: str) -> None:
    """In the newest one at least."""
    newest = [contract for contract in CONTRACTS.values() if where(code).covers(contract)][-1:]
    names = {operation.name for contract in newest for operation in contract.operations}
    for remedy in remedies(code):
        assert bool(remedy.path) is not bool(remedy.operation)
        assert remedy.path or remedy.operation in names
