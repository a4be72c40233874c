"""Programs that share an outbox and are killed, in front of a service that is killed, behind a proxy that fails."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scripts.service.demonstration import WIDGET
from scripts.trials.fresh_service import fresh_service
from tests.contract.test_reliable_sender import (
    Fault,
    bad_gateway,
    broken_after,
    broken_before,
    pass_on,
    proxy,
    rate_exceeded,
    unavailable,
)
from tests.contract.test_reliable_sender import package as package  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.slow

COUNT = 500
"""Events of a program, or of each of two if it forks."""
FAULTS: list[Fault] = [bad_gateway, broken_after, broken_before, rate_exceeded, unavailable]
PROGRAM = Path(__file__).with_name("outbox_program.py")
CHECK = """
import sys
from interaction_reporting import Client, Outbox
client = Client(sys.argv[1], api_key=sys.argv[2])
with Outbox(client, "outbox.db") as outbox:
    assert outbox.flush(100), outbox.counts()
    counts = outbox.counts()
    print(counts.added, counts.sent, counts.refused, counts.pending)
    for refused in outbox.refused():
        print("refused", refused.key, refused.reason.code)
for event in client.interaction_events.export(format="ndjson"):
    print("stored", event.get("client_event_id"), event["id"])
"""


def test_nothing_is_lost_or_stored_twice(package: Path, tmp_path: Path) -> None:
    """What `add` returned for is stored once, or refused with its reason; and the counts agree."""
    chance = random.Random(20)  # noqa: S311 - the same faults each time
    environment = os.environ | {"PYTHONPATH": str(package)}
    names = {"a": "forks", "b": "forks", "c": "", "d": ""}
    with fresh_service(IR_WORKERS="2") as service:
        faults = iter(lambda: chance.choice(FAULTS) if chance.random() < 0.1 else pass_on, None)
        with proxy(service.url, faults) as url:
            arguments = [url, service.key, str(WIDGET)]

            def start(name: str) -> subprocess.Popen[bytes]:
                command = [sys.executable, str(PROGRAM), *arguments, name, str(COUNT), names[name]]
                return subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)

            kills = _run({name: start(name) for name in names}, start, service.process.pid, chance)
        command = [sys.executable, "-c", CHECK, service.url, service.key]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    first, *lines = [line.split() for line in ran.stdout.splitlines()]
    added, sent, refused, pending = map(int, first)
    assert added == sent + refused + pending
    assert pending == 0
    kept = {f"{path.stem}-{number}" for path in tmp_path.glob("*.notes") for number in path.read_text().split()}
    assert len(kept) == 6 * COUNT
    stored = [key for kind, key, _ in lines if kind == "stored" and key != "None"]
    reasons = {key: code for kind, key, code in lines if kind == "refused"}
    bad = {key for key in kept if int(key.partition("-")[2]) % 10 == 7}
    assert sorted(stored) == sorted(kept - bad)
    assert reasons == dict.fromkeys(bad, "event_type_not_registered")
    assert kills[0] >= 5, kills
    assert kills[1] >= 2, kills


def _run(
    programs: dict[str, subprocess.Popen[bytes]],
    start: Callable[[str], subprocess.Popen[bytes]],
    server: int,
    chance: random.Random,
) -> tuple[int, int]:
    """Kill programs and workers of the server at random until each program has ended; returns how many of each."""
    clients = workers = 0
    while programs:
        time.sleep(0.25)
        for name, program in list(programs.items()):
            if program.poll() == 0:
                del programs[name]
            elif program.returncode is not None:
                programs[name] = start(name)
        if programs and clients < 12:
            os.killpg(chance.choice(list(programs.values())).pid, signal.SIGKILL)
            clients += 1
        if clients % 4 == 3 and workers < 3:
            alive = [child for child in psutil.Process(server).children() if "spawn_main" in " ".join(child.cmdline())]
            if len(alive) == 2:
                chance.choice(alive).kill()
                workers += 1
    return clients, workers
