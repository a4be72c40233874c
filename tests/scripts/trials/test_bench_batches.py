"""`interaction-reporting bench-batches`: it counts stored events, and COPY stores the same rows."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from typer.testing import CliRunner

from scripts.cli import app
from scripts.trials import bench_batches
from scripts.trials.measurement import Measurement

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alone")]


def test_the_result_has_two_rates_and_their_ratio() -> None:
    """A short run on a fresh service exits 0; the ratio is that of the two rates."""
    result = CliRunner().invoke(
        app, ["bench-batches", "--seconds", "0.3", "--rounds", "1", "--connections", "2", "--workers", "1", "--json"]
    )
    assert result.exit_code == 0
    output = json.loads(result.stdout)
    assert output["events_per_second"] > 0
    assert output["ratio"] == pytest.approx(output["events_per_second"] / output["copied_rows_per_second"], abs=0.01)


def test_copy_stores_whole_events(database_url: str) -> None:
    """The rows that COPY stores have what an event of a batch has."""
    with psycopg.connect(database_url) as connection:
        assert bench_batches._copied(connection, 0.01) > 0
        ((event,),) = connection.execute(
            "SELECT to_jsonb(event) FROM interaction_events AS event ORDER BY position LIMIT 1"
        ).fetchall()
    assert event["metadata"] == {"n": 0}
    assert event["event_type"] == "clicked"
    assert event["received_at"][:10] == f"{datetime.now(UTC):%Y-%m-%d}"


def test_a_refused_batch_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command exits 1, and the error names the status."""

    def refused_load(*_: object, **__: object) -> Measurement:
        measurement = Measurement()
        measurement.answered(422, b"", b"{}", measurement.began)
        return measurement

    monkeypatch.setattr(bench_batches, "measured", refused_load)
    result = CliRunner().invoke(app, ["bench-batches", "--seconds", "0.1", "--rounds", "1", "--workers", "1"])
    assert result.exit_code == 1
    assert "answers other than 200: [422]" in result.stderr
