"""`interaction-reporting bench-batches`: how fast batches are stored, next to PostgreSQL's COPY of the same rows."""

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import psycopg
import typer

from db import embedded, interaction_events
from db.ids import new_id
from scripts.commands.arguments import AsJSON
from scripts.commands.output import note, show
from scripts.service.demonstration import WIDGET
from scripts.trials.bench import EVENT, PATH
from scripts.trials.fresh_service import fresh_service, wait_for_workers
from scripts.trials.load import Load, Shape, measured
from scripts.trials.measurement import Measurement

BATCH = 1000
COLUMNS = [column.name for column in interaction_events.TABLE.columns]


@dataclass(frozen=True)
class Result:
    """The medians of the rounds, in rows per second, and the ratio of the first to the second."""

    connections: int
    events_per_second: int
    copied_rows_per_second: int
    ratio: float
    p50_ms: float


def bench_batches(
    workers: Annotated[int, typer.Option(help="The number of worker processes.", min=1)] = 2,
    connections: Annotated[int, typer.Option(help="Connections that post batches.", min=1)] = 4,
    seconds: Annotated[float, typer.Option(help="The length of a round.", min=0.1, max=3600)] = 5,
    rounds: Annotated[int, typer.Option(help="The number of rounds; the result has their medians.", min=1)] = 3,
    as_json: AsJSON = False,
) -> None:
    """Measure batches of 1,000 events on a fresh service, in rounds that alternate with COPY of the same rows.

    COPY uses one connection and commits every 1,000 rows. Exits 1 unless every request was answered with 200.
    """
    measurements: list[Measurement] = []
    copy_rates: list[float] = []
    with fresh_service("--workers", str(workers)) as service:
        wait_for_workers(service.process, service.log, workers)
        load = Load(service.url, _shape(service.key), timeout=60)
        with embedded.running(service.data_dir) as url, psycopg.connect(url) as connection:
            for number in range(rounds):
                note(f"round {number + 1} of {rounds}")
                measurements.append(measured(load, connections, seconds, warm_up=1))
                copy_rates.append(_copied(connection, seconds))
    faults = sum((measurement.errors for measurement in measurements), start=Counter[str]())
    other_statuses = {status for measurement in measurements for status in measurement.statuses} - {200}
    events = median(BATCH * measurement.statuses[200] / measurement.seconds for measurement in measurements)
    latency = median(measurement.percentiles_ms(50)[0] or 0 for measurement in measurements)
    ratio = round(events / median(copy_rates), 2)
    result = Result(connections, round(events), round(median(copy_rates)), ratio, round(latency, 1))
    show(asdict(result), as_json)
    if faults or other_statuses or not events:
        note(f"error: answers other than 200: {sorted(other_statuses)}, without an answer: {dict(faults)}")
        raise typer.Exit(1)


def _shape(key: str) -> Shape:
    """A batch from the hub of `key`."""
    body = json.dumps([{"widget_id": str(WIDGET), **EVENT, "metadata": {"n": n}} for n in range(BATCH)]).encode()
    return Shape(f"{PATH}/batch", body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})


def _copied(connection: psycopg.Connection, seconds: float) -> float:
    """The number of the same rows that COPY stores per second."""
    hub_id, statement = new_id(), f"COPY interaction_events ({', '.join(COLUMNS)}) FROM STDIN"
    count, elapsed = 0, 0.0
    while elapsed < seconds:
        rows = _rows(hub_id)  # not part of COPY's work
        began = time.perf_counter()
        with connection.cursor().copy(statement.encode()) as copy:
            copy.write(rows)
        connection.commit()
        elapsed += time.perf_counter() - began
        count += BATCH
    return count / elapsed


def _rows(hub_id: str) -> bytes:
    """The rows of a batch in COPY's text format."""
    common = {**EVENT, "hub_id": hub_id, "widget_id": str(WIDGET), "contract_version": "1.1"}
    rows = []
    for number in range(BATCH):
        row = {**common, "id": new_id(), "metadata": json.dumps({"n": number})}
        rows.append("\t".join(str(row.get(name, "\\N")) for name in COLUMNS) + "\n")
    return "".join(rows).encode()
