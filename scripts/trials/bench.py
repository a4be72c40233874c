"""`interaction-reporting bench`: how fast single events are stored, and where their time goes."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from db import embedded
from scripts.commands.arguments import AsJSON
from scripts.commands.output import note, show
from scripts.service.demonstration import WIDGET
from scripts.trials.credentials import api_key
from scripts.trials.fresh_service import fresh_service, wait_for_workers
from scripts.trials.load import Load, Shape, measured
from scripts.trials.measurement import LoadSummary, Measurement, Part, breakdown, summary
from scripts.trials.peer import running_peer

PATH = "/api/v1/interaction-events"
EVENT = {
    "event_type": "clicked",
    "occurred_at": "2026-03-31T12:00:00Z",
    "actor_type": "user",
    "actor_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e12",
    "view_context_ref": "/pipelines/42",
    "metadata": {"button": "approve", "n": 3},
}
BREAKDOWN_SECONDS = 2
NO_BREAKDOWN = "Responses had no Server-Timing header; a service with IR_SERVER_TIMING=on shows where the time goes."


@dataclass(frozen=True)
class Plan:
    """The measured loads, and the number of their rounds."""

    connections: list[int]
    seconds: float
    warm_up: float
    rounds: int


Rounds = dict[tuple[str, int], list[Measurement]]
"""The measurements, by service and connections."""


def bench(  # noqa: PLR0913, PLR0917 (its options)
    url: Annotated[str | None, typer.Option(help="A running service, as http://host:port.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="A file with a hub's API key, for --url.", exists=True, dir_okay=False)
    ] = None,
    widget: Annotated[UUID, typer.Option(help="The widget to report about, for --url.")] = WIDGET,
    workers: Annotated[int, typer.Option(help="The number of worker processes, without --url.", min=1)] = 2,
    connections: Annotated[
        list[str] | None, typer.Option(help="One or more numbers, such as 1,64 (default: 64): a row for each.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="The length of a round.", min=0.1, max=86400)] = 10,
    warm_up: Annotated[float, typer.Option(help="Uncounted seconds before each round.", min=0, max=3600)] = 1,
    rounds: Annotated[int, typer.Option(help="The number of rounds; the table has their medians.", min=1)] = 3,
    peer: Annotated[
        bool, typer.Option("--peer", help="Compare with a hand-written service, in turn; not with --url.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Measure how fast a running service (--url), or a fresh one that is discarded afterwards, stores events.

    Exits 1 unless every request was answered with 201.
    """
    plan = Plan(_counts(connections or ["64"]), seconds, warm_up, rounds)
    if (url is None) != (key_file is None):
        raise typer.BadParameter("--url and --key-file need each other")
    if url is None or key_file is None:
        measurements, timed = _on_fresh(plan, workers, peer)
    elif peer:
        raise typer.BadParameter("--peer needs a fresh service: use it without --url")
    else:
        measurements = _in_turns({"service": Load(_origin(url), shape(api_key(key_file), widget))}, plan)
        timed = measurements["service", plan.connections[0]]
    rows = [summary(*load, results) for load, results in measurements.items()]
    _print(rows, breakdown(timed), as_json)
    if url is None:
        rows.append(summary("service with IR_SERVER_TIMING", plan.connections[0], timed))
    if faults := [fault for row in rows for fault in _faults(row)]:
        note("\n".join(f"error: {fault}" for fault in faults))
        raise typer.Exit(1)


def _on_fresh(plan: Plan, workers: int, peer: bool) -> tuple[Rounds, list[Measurement]]:
    """The measurements on a fresh service, and on another one that reports where the time goes."""
    with ExitStack() as running:
        note("starting a fresh service")
        service = running.enter_context(fresh_service("--workers", str(workers)))
        wait_for_workers(service.process, service.log, workers)
        event = shape(service.key, WIDGET)
        loads = {"service": Load(service.url, event)}
        if peer:
            database_url = running.enter_context(embedded.running(service.data_dir))
            loads["peer"] = Load(running.enter_context(running_peer(database_url, service.key, workers)), event)
        measurements = _in_turns(loads, plan)
    note("measuring where the time goes, on another fresh service")
    with fresh_service("--workers", str(workers), IR_SERVER_TIMING="on") as service:
        wait_for_workers(service.process, service.log, workers)
        load = Load(service.url, shape(service.key, WIDGET))
        return measurements, [measured(load, plan.connections[0], BREAKDOWN_SECONDS, plan.warm_up)]


def _in_turns(loads: dict[str, Load], plan: Plan) -> Rounds:
    """Rounds of each load in turn, so that a drift of the machine's speed affects all of them alike."""
    measurements: Rounds = {(name, count): [] for count in plan.connections for name in loads}
    for count in plan.connections:
        for _ in range(plan.rounds):
            for name, load in loads.items():
                note(f"measuring the {name} at {count} connections for {plan.warm_up + plan.seconds:g} seconds")
                measurements[name, count].append(measured(load, count, plan.seconds, plan.warm_up))
    return measurements


def _print(rows: list[LoadSummary], parts: list[Part], as_json: bool) -> None:
    """Print the rows, their ratios, and where the time goes."""
    ratios = list(_ratios(rows))
    if as_json:
        print(json.dumps({"loads": rows, "ratios": ratios, "breakdown": parts}, default=asdict, indent=2))
        return
    show([_cells(row) for row in rows], as_json)
    for ratio in ratios:
        print(f"\nservice/peer in req/s at {ratio['connections']} connections: {ratio['ratio']:.2f}")
    if parts:
        print(f"\nWhere the time of a request goes at {rows[0].connections} connections, on average:")
        show([{"": part.part, "ms": f"{part.mean_ms:.3f}", "share": f"{part.share:.0%}"} for part in parts], as_json)
    elif rows[0].stored:
        note(NO_BREAKDOWN)


def _ratios(rows: list[LoadSummary]) -> Iterator[dict[str, Any]]:
    """The ratio of the service's requests per second to the peer's, for each number of connections."""
    rates = {(row.service, row.connections): row.requests_per_second for row in rows}
    for (service, connections), rate in rates.items():
        if service == "peer" and rate:
            yield {"connections": connections, "ratio": rates["service", connections] / rate}


def _cells(row: LoadSummary) -> dict[str, Any]:
    """The cells of `row` in the table."""
    latencies = {"p50 ms": row.p50_ms, "p95 ms": row.p95_ms, "p99 ms": row.p99_ms}
    return {
        "": row.service,
        "connections": row.connections,
        "req/s": f"{row.requests_per_second:.0f}",
        **{name: None if value is None else f"{value:.2f}" for name, value in latencies.items()},
        "errors": row.failed,
    }


def _faults(row: LoadSummary) -> Iterator[str]:
    """The reasons why the figures of `row` do not measure stored events."""
    load = f"{row.service} at {row.connections} connections"
    for status, body in row.refusals.items():
        hint = "; does the key belong to an enabled hub?" if status == 401 else ""
        yield f"{load}: {row.statuses[status]} answers were {status}, not 201: {body!r}{hint}"
    for kind, count in row.errors.items():
        yield f"{load}: {count} times {kind}"
    if not row.requests:
        yield f"{load}: no request was answered"


def shape(key: str, widget: UUID) -> Shape:
    """One event about `widget`, from the hub of `key`."""
    body = json.dumps({"widget_id": str(widget), **EVENT}).encode()
    return Shape(PATH, body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})


def _counts(texts: list[str]) -> list[int]:
    """The distinct numbers in `texts`, each a number or a comma-separated list of numbers."""
    try:
        counts = [int(number) for text in texts for number in text.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1:
        raise typer.BadParameter(f"--connections is {','.join(texts)}; it must be one or more numbers from 1 up")
    return list(dict.fromkeys(counts))


def _origin(url: str) -> str:
    """`url` without a final slash; BadParameter unless it is of the form http://host:port."""
    parts = re.fullmatch(r"http://(?:[\w.-]+|\[[0-9a-f:.]+\])(?::(\d+))?/?", url)
    if not parts or not 0 < int(parts[1] or 80) <= 65535:
        raise typer.BadParameter(f"--url is {url!r}; it must be of the form http://host:port")
    return url.rstrip("/")
