"""The text for Prometheus, and the table of all metrics."""

import os
import re
import shutil
import subprocess

import pytest

from scripts.metrics import exposition
from scripts.metrics.families import FAMILIES
from scripts.metrics.values import Values
from tests.test_layers import ROOT

EVERY: Values = {
    family.name: {("x",) * len(family.labels): [1.0] * (len(family.bounds) + 2) if family.bounds else 1.0}
    for family in FAMILIES
}
"""A value of each metric."""


def test_prometheus_finds_nothing_to_criticize() -> None:
    """`promtool check metrics` is content with the names, types and units of all metrics."""
    if shutil.which("promtool") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("Debian's prometheus is not installed")
    text = exposition.text(EVERY)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    for family in FAMILIES:
        assert f"# TYPE {family.full_name} {family.kind}\n" in text.decode()


def test_a_count_without_labels_begins_at_zero() -> None:
    """An alert on its increase then sees the first one; other metrics are absent until they have a value."""
    lines = exposition.text({}).decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "interaction_reporting_worker_restarts_total 0.0",
        "interaction_reporting_log_lines_dropped_total 0.0",
    ]


def test_the_buckets_of_a_histogram_add_up() -> None:
    """Each has the values of those below it; the sum comes last."""
    counted: Values = {"write_batch_rows": {("event",): [1.0, 2.0, *[0.0] * 9, 4.0, 99.0]}}
    lines = re.findall(r"^\w+?(_bucket|_count|_sum)\{(.*)\} (.*)$", exposition.text(counted).decode(), re.MULTILINE)
    values = {(part, labels): value for part, labels, value in lines}
    bounds = ["1.0", "2.0", "5.0", "2000.0", "+Inf"]
    buckets = [values["_bucket", f'kind="event",le="{bound}"'] for bound in bounds]
    assert buckets == ["1.0", "3.0", "3.0", "3.0", "7.0"]
    assert (values["_count", 'kind="event"'], values["_sum", 'kind="event"']) == ("7.0", "99.0")


def test_the_table_in_the_readme_is_that_of_the_code() -> None:
    """It has a row for each metric, in the same order."""
    text = (ROOT / "scripts" / "README.md").read_text()
    rows = re.findall(r"^\| `(interaction_reporting_\w+)` \| (.*?) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    expected = [
        (
            family.full_name,
            " ".join(f"`{label}`" for label in family.labels) or "none",
            f"{family.kind}: {family.meaning}",
            family.action,
        )
        for family in FAMILIES
    ]
    assert rows == expected, "\n" + "\n".join(f"| `{row[0]}` | {' | '.join(row[1:])} |" for row in expected)
