"""The policy: each of its rows decides something."""

import ast
import inspect
import re
from types import ModuleType

import pytest

from openapi.diff import rules
from openapi.diff.comparison import callbacks, compare, request_changes, response_changes, sunsets, text_changes
from openapi.diff.comparison.request_changes import CODINGS, LIMIT
from openapi.diff.rules import RULES, Severity, overall
from tests.openapi.diff.pairs import PAIRS, Pair

NEVER_ALONE = {"callback-added-on-request", "success-status-added-on-request"}
"""Rules of changes that always come with another of the same severity: what asks for them is new, too."""

NO_RULES = {"content-coding", "body-limit", "preference-applied", "x-sunset", LIMIT, CODINGS}
"""Rules without a row on purpose, and names of a header and of extensions."""


def reached(rule: str) -> list[Pair]:
    """The labelled pairs in which `rule` judges a change."""
    return [pair for pair in PAIRS if rule in pair.label.rules]


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_needed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its row, the pairs that have it miss their labels."""
    pairs = reached(rule)
    assert pairs, f"no pair has {rule}: label one, or drop the rule"
    assert all(pair.is_met for pair in pairs)
    monkeypatch.delitem(RULES, rule)
    assert not any(pair.is_met for pair in pairs)


@pytest.mark.parametrize("rule", RULES)
def test_the_severity_of_each_rule_is_needed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any other severity, some pair misses its label."""
    row = RULES[rule]
    severities = {Severity.MAJOR} if rule in NEVER_ALONE else set(Severity)
    for severity in severities - {row.severity}:
        monkeypatch.setitem(RULES, rule, row._replace(severity=severity))
        assert not all(pair.is_met for pair in reached(rule)), severity


def test_a_change_without_a_rule_needs_a_major_version() -> None:
    """Without a rule, it is not proved compatible."""
    undecided = [change for pair in PAIRS for change in pair.changes() if change.rule == "request-undecided-narrowed"]
    assert undecided
    assert all(rules.judge(change) is rules.UNDECIDED for change in undecided)


@pytest.mark.parametrize("module", [callbacks, compare, request_changes, response_changes, sunsets, text_changes])
def test_each_rule_that_a_change_names_is_a_row(module: ModuleType) -> None:
    """A misspelt rule would need a major version without a reason."""
    constants = {
        node.value for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Constant)
    }
    names = {value for value in constants if isinstance(value, str) and re.fullmatch("[a-z]+(-[a-z]+)+", value)}
    assert names - RULES.keys() <= NO_RULES
    assert names & RULES.keys()


def test_no_change_needs_no_version() -> None:
    """Without a change the severity is none."""
    assert overall([]) == Severity.NONE
