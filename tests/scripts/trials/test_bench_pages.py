"""`interaction-reporting bench-pages`: every page is asked for, and events are stored beside viewers."""

import json

import pytest
from typer.testing import CliRunner

from scripts.cli import app

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alone")]


def test_each_page_has_a_time() -> None:
    """A short run on a small database exits 0; the slowest page is first, and the ratio is that of the two rates."""
    result = CliRunner().invoke(
        app, ["bench-pages", "--small", "--times", "1", "--ingest", "--seconds", "0.3", "--rounds", "1", "--json"]
    )
    assert result.exit_code == 0, result.stderr
    output = json.loads(result.stdout)
    times = {page["path"]: page["ms"] for page in output["pages"]}
    assert {"/", "/admin", "/admin/event-types", "/hub"} < times.keys()
    assert list(times.values()) == sorted(times.values(), reverse=True)
    assert min(times.values()) > 0
    ingest = output["ingest"]
    assert output["ratio"] == pytest.approx(ingest["with_viewers"] / ingest["without"])
