"""`interaction-reporting bench-pages`: how long pages take on a large database, and what viewers cost."""

import json
import multiprocessing
import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx
import typer

from db import admins
from handlers.security.passwords import hash_of
from scripts.commands.arguments import AsJSON
from scripts.commands.output import note, show
from scripts.service.databases import connected
from scripts.service.demonstration import WIDGET
from scripts.service.serve import prepare
from scripts.service.settings import Settings
from scripts.trials.bench import shape
from scripts.trials.fresh_service import DATA, Service, service_on, wait_for_workers
from scripts.trials.large import large_database, page_paths
from scripts.trials.large.page_paths import Known, Paths
from scripts.trials.load import Load, measured
from scripts.trials.measurement import METRIC

WORKERS, CONNECTIONS, WARM_UP = 2, 64, 1
VIEWERS, STARTING_SECONDS = 20, 3
STREAMS_OF_SESSION = 5
SMALL = {"hubs": 100, "types": 100, "events": 10_000, "rejections": 3_000}
BROWSER = "text/html"
OWNER = "bench"


@dataclass(frozen=True)
class PageTime:
    """The median of the milliseconds that a page took at the service, and its bytes."""

    path: str
    ms: float
    bytes: int


@dataclass(frozen=True)
class Ingest:
    """Single events stored per second, with VIEWERS live pages open and without: medians of the rounds."""

    without: float
    with_viewers: float

    @property
    def ratio(self) -> float:
        """What is left of the throughput."""
        return self.with_viewers / self.without


def bench_pages(  # noqa: PLR0913, PLR0917 (its options)
    times: Annotated[int, typer.Option(help="How often each page is asked for.", min=1)] = 5,
    small: Annotated[bool, typer.Option("--small", help="Fill the database with little.")] = False,
    ingest: Annotated[
        bool, typer.Option("--ingest", help="Also store events, with 20 live pages and without.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="The length of a round of --ingest.", min=0.1, max=3600)] = 10,
    rounds: Annotated[int, typer.Option(help="The rounds of --ingest, each with and without.", min=1)] = 2,
    as_json: AsJSON = False,
) -> None:
    """Measure how long each page takes at a fresh service with a million events, which is discarded afterwards.

    Exits 1 if a page or an event was not answered as it should be.
    """
    with ExitStack() as running:
        directory = Path(running.enter_context(TemporaryDirectory(prefix="interaction-reporting-")))
        password, known = _filled(directory, SMALL if small else {})
        note("starting a fresh service")
        service = running.enter_context(service_on(directory, "--workers", str(WORKERS), IR_SERVER_TIMING="on"))
        wait_for_workers(service.process, service.log, WORKERS)
        note(f"asking for each page {times} times")
        pages = _pages(service.url, password, known, times)
        ingested = _ingest(service, password, seconds, rounds) if ingest else None
    if as_json:
        print(json.dumps({"pages": pages, "ingest": ingested, "ratio": ingested and ingested.ratio}, default=asdict))
        return
    show([{"page": page.path, "ms": f"{page.ms:.1f}", "bytes": page.bytes} for page in pages], as_json)
    if ingested:
        print(f"\nreq/s without viewers: {ingested.without:.0f}, with {VIEWERS}: {ingested.with_viewers:.0f}")
        print(f"with/without: {ingested.ratio:.3f}")


def _filled(directory: Path, size: dict[str, int]) -> tuple[str, Known]:
    """Fill a database in `directory`; the password of its owner, and rows of it."""
    note("filling a database")
    password = secrets.token_urlsafe(16)
    with connected(Settings(data_dir=directory / DATA)) as database:
        prepare(database)
        large_database.fill(database, **size)
        with database.begin() as connection:
            admins.create(connection, OWNER, "owner", hash_of(password))
            return password, page_paths.known(connection)


def _pages(url: str, password: str, known: Known, times: int) -> list[PageTime]:
    """The times of the pages of everyone, of admins and of a hub: the slowest page first."""
    with ExitStack() as opened:
        visitor, admin, hub = (opened.enter_context(_browser(url)) for _ in range(3))
        _sign_in(admin, "/admin/sign-in", name=OWNER, password=password)
        _sign_in(hub, "/hub", secret=large_database.key_of(known.hub))
        groups: tuple[tuple[httpx.Client, Paths], ...] = (
            (visitor, page_paths.of_everyone(known)),
            (admin, page_paths.of_admin(known)),
            (hub, page_paths.of_hub(known)),
        )
        pages = [_timed(client, path, times) for client, each in groups for paths in each.values() for path in paths]
    return sorted(pages, key=lambda page: -page.ms)


def _browser(url: str) -> httpx.Client:
    headers = {"accept": BROWSER, "accept-encoding": "gzip", "origin": url, "sec-fetch-site": "same-origin"}
    return httpx.Client(base_url=url, headers=headers, timeout=60)


def _sign_in(client: httpx.Client, page: str, **fields: str) -> None:
    """Sign in with the form of a page; StartFailed if it is refused."""
    token = re.search(r'name="token" value="([^"]*)"', client.get(page).text)
    path = page if page.endswith("sign-in") else f"{page}/sign-in"
    _require(client.post(path, data={"token": token[1] if token else "", **fields}), {303})


def _timed(client: httpx.Client, path: str, times: int) -> PageTime:
    """The time of a page; the first time, when a worker makes what it keeps, does not count."""
    for _ in range(WORKERS):
        _require(client.get(path), {200, 303, 404, 409})
    responses = [client.get(path) for _ in range(times)]
    size = max(int(response.headers.get("content-length", len(response.content))) for response in responses)
    return PageTime(path, median(map(_milliseconds, responses)), size)


def _milliseconds(response: httpx.Response) -> float:
    """The time of a response at the service."""
    header = response.headers.get("server-timing", "").encode()
    return sum(float(duration) for _, duration in METRIC.findall(header))


def _require(response: httpx.Response, statuses: set[int]) -> None:
    if response.status_code not in statuses:
        note(f"error: {response.request.url} was answered {response.status_code}")
        raise typer.Exit(1)


def _ingest(service: Service, password: str, seconds: float, rounds: int) -> Ingest:
    """The throughput in turns, without viewers and with them, so that both have the same drift of the machine."""
    load = Load(service.url, shape(service.key, WIDGET))
    rates: dict[bool, list[float]] = {False: [], True: []}
    with ExitStack() as opened:
        sessions = [opened.enter_context(_browser(service.url)) for _ in range(VIEWERS // STREAMS_OF_SESSION)]
        for session in sessions:
            _sign_in(session, "/admin/sign-in", name=OWNER, password=password)
        measured(load, CONNECTIONS, seconds, WARM_UP)
        for _ in range(rounds):
            for with_viewers in (False, True):
                note(f"storing events {'with' if with_viewers else 'without'} viewers for {seconds:g} seconds")
                with _viewing(sessions if with_viewers else []):
                    measurement = measured(load, CONNECTIONS, seconds, WARM_UP)
                if measurement.refusals or measurement.errors:
                    note(f"error: {measurement.statuses} {measurement.errors}")
                    raise typer.Exit(1)
                rates[with_viewers].append(measurement.requests_per_second)
    return Ingest(median(rates[False]), median(rates[True]))


@contextmanager
def _viewing(sessions: list[httpx.Client]) -> Iterator[None]:
    """Let each session read STREAMS_OF_SESSION live streams until the end of the block, in a process of their own."""
    streams = [(str(session.base_url), dict(session.cookies)) for session in sessions] * STREAMS_OF_SESSION
    process = multiprocessing.get_context("spawn").Process(target=_view_all, args=(streams,), daemon=True)
    process.start()
    time.sleep(STARTING_SECONDS if streams else 0)
    try:
        yield
        if streams and not process.is_alive():
            note("error: the viewers have ended")
            raise typer.Exit(1)
    finally:
        process.terminate()
        process.join()


def _view_all(streams: list[tuple[str, dict[str, str]]]) -> None:
    with ThreadPoolExecutor(len(streams) or 1) as threads:
        list(threads.map(_view, streams))


def _view(stream: tuple[str, dict[str, str]]) -> None:
    """Read a stream, and drop what comes."""
    url, cookies = stream
    headers = {"accept": "text/event-stream", "accept-encoding": "identity"}
    with httpx.stream("GET", f"{url}/admin/live/stream", cookies=cookies, headers=headers, timeout=60) as response:
        response.raise_for_status()
        for _ in response.iter_raw(65536):
            pass
