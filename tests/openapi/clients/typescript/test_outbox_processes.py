"""The outbox of several processes, of which any may be killed at any time."""

import random
from pathlib import Path

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.typescript.programs import Programs
from tests.openapi.clients.typescript.test_outbox import OPEN

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

ADDING = OPEN + "for (let n = 0; ; n++) { show(await outbox.add(event(n))); if (n % 20 === 0) await null; }"
WRITING = """
const { Logs } = await import("./package/outbox/files/logs.js");
const logs = new Logs(given.path, console);
const body = (n) => Buffer.from(JSON.stringify({ n }));
const fact = (n) => ({ t: "add", id: `${process.pid}:${n}`, kind: "k", key: `${n}`, own: false, at: n, body: body(n) });
const numbers = () => [...logs.bodies(logs.ledger.pending())].map(([, body]) => JSON.parse(body).n);
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_process_loses_nothing_that_it_was_told_is_kept(
    seed: int, node: Programs, hub: FakeHub, tmp_path: Path
) -> None:
    """Two processes on one directory are killed again and again, while the service cuts connections."""
    chance = random.Random(seed)  # noqa: S311 - to have the same run again
    keys: list[str] = []
    for _ in range(4):
        hub.fail(chance.choice(["cut_after", "cut_before", "half"]))
        with (
            node.running(ADDING, url=hub.url, path=str(tmp_path)) as first,
            node.running(ADDING, url=hub.url, path=str(tmp_path)) as second,
        ):
            for process in (first, second):
                assert process.stdout is not None
                keys += [process.stdout.readline() for _ in range(chance.randrange(1, 400))]
            for process in (first, second):
                process.kill()
                assert process.stdout is not None
                keys += [line for line in process.stdout.read().splitlines() if line.endswith('"')]
    hub.reset()
    code = "show(await outbox.flush({ timeoutMs: 20000 })); show(await outbox.counts());"
    is_done, counted = node.run(OPEN + code, url=hub.url, path=str(tmp_path))
    assert is_done
    assert counted["pending"] == counted["refused"] == 0
    stored = [item["client_event_id"] for item in hub.accepted["interaction_events"]]
    assert len(stored) == len(set(stored))
    assert {key.strip().strip('"') for key in keys} <= set(stored)
    assert len(keys) > 100


def test_two_processes_send_each_item_once(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """One sends for both, and the other one takes over when it ends."""
    code = OPEN + "await add(300); show(await outbox.close());"
    with node.running(code, url=hub.url, path=str(tmp_path)) as other:
        assert node.run(code, url=hub.url, path=str(tmp_path)) == [True]
        assert other.wait(30) == 0
    assert len(hub.accepted["interaction_events"]) == 600
    assert set(hub.received.values()) == {1}


def test_facts_that_are_written_while_files_are_replaced_stay(node: Programs, tmp_path: Path) -> None:
    """One process adds while another one replaces all files, as often as it can."""
    writing = WRITING + "for (let n = 0; n < 4000; n++) logs.append([fact(n)]); show('done');"
    folding = WRITING + "show('ready'); for (;;) logs.fold();"
    with node.running(folding, path=str(tmp_path)) as folder:
        assert folder.stdout is not None
        folder.stdout.readline()
        assert node.run(writing, path=str(tmp_path)) == ["done"]
    kept = "show([logs.ledger.pending().length, logs.ledger.sums().added]);"
    assert node.run(WRITING + kept, path=str(tmp_path)) == [[4000, 4000]]
    assert node.run(WRITING + "logs.fold();" + kept, path=str(tmp_path)) == [[4000, 4000]]
    assert len(list(tmp_path.glob("*.log"))) == 1


@pytest.mark.parametrize(
    ("spoiled", "torn"), [(b'"n":9', b'00000000 {"t":"add"'), (b'"n":9', b""), (b'"n":1', b'00000000 {"t":"add"')]
)
def test_a_torn_or_spoiled_line_is_put_aside(spoiled: bytes, torn: bytes, node: Programs, tmp_path: Path) -> None:
    """The facts before and after it count; the line is in a file beside them."""
    node.run(WRITING + "for (let n = 0; n < 3; n++) logs.append([fact(n)]);", path=str(tmp_path))
    (log,) = tmp_path.glob("*.log")
    first, second, third = log.read_bytes().splitlines(keepends=True)
    changed = second.replace(b'"n":1', spoiled)
    log.write_bytes(first + changed + third + torn)
    code = "logs.fold(); show(numbers());"
    assert node.run(WRITING.replace("console", "{ error() {} }") + code, path=str(tmp_path)) == [
        [0, 1, 2] if changed == second else [0, 2]
    ]
    aside = (tmp_path / "unreadable.txt").read_bytes()
    assert aside.splitlines() == [line for line in (changed.strip(), torn) if line and line != second.strip()]


def test_a_directory_that_is_deleted_is_made_again(node: Programs, tmp_path: Path) -> None:
    """A fact that is appended afterwards is kept."""
    code = (
        "const { rmSync } = await import('node:fs'); logs.append([fact(0)]); rmSync(given.path, { recursive: true });"
    )
    node.run(WRITING + code + "logs.append([fact(1)]);", path=str(tmp_path / "outbox"))
    keys = "show(logs.ledger.pending().map((entry) => entry.key));"
    assert node.run(WRITING + keys, path=str(tmp_path / "outbox")) == [["1"]]


def test_a_lease_is_of_one_process_until_it_ends(node: Programs, tmp_path: Path) -> None:
    """Another one waits; it takes over when the first one leaves, is killed, or gives no sign for a minute."""
    code = """
    const { Lease } = await import("./package/outbox/files/lease.js");
    const { utimesSync, writeFileSync, readFileSync } = await import("node:fs");
    const [first, second] = [new Lease(given.path), new Lease(given.path)];
    show([first.take(), second.take() > 0, first.take()]);
    first.leave();
    show([second.take(), first.take() > 0]);
    utimesSync(`${given.path}/sender`, 1, 1);
    show([first.take(), second.take() > 0]);
    const owner = JSON.parse(readFileSync(`${given.path}/sender`, "utf8"));
    writeFileSync(`${given.path}/sender`, JSON.stringify({ ...owner, began: "0" }));
    show([second.take(), first.take() > 0]);
    writeFileSync(`${given.path}/sender`, JSON.stringify({ ...owner, pid: 2 ** 22 + 1 }));
    show(first.take());
    """
    shown = node.run(code, path=str(tmp_path))
    assert shown == [[0, True, 0], [0, True], [0, True], [0, True], 0]


def test_a_network_file_system_is_refused(node: Programs) -> None:
    """Where the system can tell; others are taken."""
    code = """
    const { requireLocal } = await import("./package/outbox/files/file_systems.js");
    const kinds = [0x6969, 0xef53, 0xff534d42];
    const said = async (type) => (await caught((async () => requireLocal("/d", () => ({ type })))()))?.message ?? "";
    show(await Promise.all(kinds.map(said)));
    """
    nfs, ext4, cifs = node.run(code)[0]
    assert nfs == "/d is on a network file system (NFS): put the outbox on a local disk"
    assert ext4 == ""
    assert "(CIFS)" in cifs


@pytest.mark.parametrize(
    "call", ["renameSync 1", "renameSync 2", "fsyncSync 1", "renameSync 3", "rmSync 1", "rmSync 2"]
)
def test_a_process_that_is_killed_while_it_replaces_files_leaves_what_counts(
    call: str, node: Programs, tmp_path: Path
) -> None:
    """At whichever call of the system it ends: what waits, and the sums, are the same before and after."""
    begin = 'logs.append([fact(1), fact(2), { t: "gone", id: fact(1).id, how: "sent" }]);'
    for _ in range(2):
        node.run(WRITING + begin, path=str(tmp_path))
    code = """
    const { default: fs } = await import("node:fs");
    const { syncBuiltinESMExports } = await import("node:module");
    let [name, count] = given.call.split(" ");
    const original = fs[name];
    fs[name] = (...values) => {
      if (--count === 0) process.kill(process.pid, "SIGKILL");
      return original(...values);
    };
    syncBuiltinESMExports();
    logs.fold();
    """
    with node.running(WRITING + code, path=str(tmp_path), call=call) as process:
        assert process.wait(30) == -9
    kept = "show([logs.ledger.pending().map(({ key }) => key), logs.ledger.sums()]);"
    amount = [["2", "2"], {"added": 4, "sent": 2, "expired": 0, "erased": 0}]
    assert node.run(WRITING + kept, path=str(tmp_path)) == [amount]
    assert node.run(WRITING + "logs.fold();" + kept, path=str(tmp_path)) == [amount]
    assert len(list(tmp_path.glob("*.log"))) == 1
