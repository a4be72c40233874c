"""The types of our own answers are those of the newest document of each major version."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from openapi.generated.v1 import types as first
from openapi.generated.v2 import types as second
from tests.examples import MAJOR, NEWEST
from tests.generators import DOCUMENTS

GENERATED = Path(first.__file__).parents[1]


@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_the_types_are_made_from_the_document(version: str) -> None:
    """`generate types --check` finds nothing to write, and names the file that was changed by hand."""
    program = "import sys; from scripts.cli import main; main()"
    folder = GENERATED / f"v{version.partition('.')[0]}"
    command = ["generate", "types", "--document", DOCUMENTS[version], "--out", folder, "--language", "python"]
    completed = subprocess.run(
        [sys.executable, "-c", program, *map(str, command), "--check"], capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.parametrize("name", ["EventType", "Widget", "SubmittedManifest", "UsageHour", "RejectedSubmissionSummary"])
def test_a_success_has_one_type_in_both_versions(name: str) -> None:
    """So that handlers, which answer for both, are annotated with either."""
    assert inspect.getsource(getattr(first, name)) == inspect.getsource(getattr(second, name))
