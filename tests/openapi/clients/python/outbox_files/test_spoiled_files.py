"""Files that cannot be read or written: put aside, refused, or saved; an item is kept, or `add` raises."""

import itertools
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from openapi.clients.python.errors import OutboxError, OutboxFull
from openapi.clients.python.outbox_files import file_systems
from openapi.clients.python.outbox_files.kept_items import KeptItems
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import ROOT, SECONDS, add, balance, connected, event, output, started


def half_of_a_file(hub: FakeHub, path: Path) -> bytes:
    """The first half of a file with items."""
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, *(event(number, text="x" * 500) for number in range(200)))
        outbox.close(0)
    content = path.read_bytes()
    path.unlink()
    return content[: len(content) // 2]


@pytest.mark.parametrize("content", ["noise", "zeros", "half"])
def test_10_a_file_that_cannot_be_read_is_put_aside(
    hub: FakeHub, path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    """The log names it once; its bytes are still there, and the next start does not stumble over them."""
    spoiled = {"noise": b"noise" * 5000, "zeros": bytes(20_480)}.get(content) or half_of_a_file(hub, path)
    path.write_bytes(spoiled)
    for _ in range(2):
        with connected(hub.url, path) as outbox:
            add(outbox, event(1))
            assert outbox.flush(20)
    (aside,) = path.parent.glob("outbox.db.unreadable-*[0-9a-f]")
    assert aside.read_bytes() == spoiled
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert str(aside) in record.getMessage()


def test_an_empty_file_is_a_new_outbox(hub: FakeHub, path: Path) -> None:
    """As it is when the disk was full while it was created."""
    path.touch()
    with connected(hub.url, path) as outbox:
        add(outbox, event(1))
        assert outbox.flush(20)
    assert not list(path.parent.glob("*unreadable*"))


OPENING = """
with connected(url, path) as outbox:
    outbox.keep(event(1), "events")
    assert outbox.flush(20)
"""


def test_10_processes_put_a_file_aside_once(hub: FakeHub, path: Path) -> None:
    """Four that find it at the same time make one new file, and none puts aside that of another."""
    path.write_bytes(b"noise" * 5000)
    for program in [started(OPENING, hub.url, path) for _ in range(4)]:
        output(program)
    assert len(list(path.parent.glob("*unreadable*"))) == 1
    assert len(hub.accepted["events"]) == 4
    with connected(hub.url, path) as outbox:
        assert outbox.counts().sent == 4


def test_10_a_file_that_is_spoiled_while_it_is_used_is_put_aside(hub: FakeHub, path: Path) -> None:
    """The call of that moment raises; the next one uses a new file."""
    outbox = connected(hub.url, path, background=False)
    add(outbox, *(event(number, text="x" * 500) for number in range(200)))
    with outbox._database.connected() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA cache_size = 0")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(b"\xff" * size)
    with pytest.raises(OutboxError):
        fill(outbox)
    key = add(outbox, event(1))
    assert outbox.flush(20)
    assert [item["client_event_id"] for item in hub.accepted["events"]] == key
    assert outbox.close()


def test_a_file_of_a_newer_version_is_left_alone(hub: FakeHub, path: Path) -> None:
    """Not one byte of it changes."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE newer (a)")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="newer version"):
        connected(hub.url, path)
    assert path.read_bytes() == before


READ_ONLY = """
import sys
from openapi.clients.python.errors import OutboxError
from tests.openapi.clients.python.outboxes import connected
try:
    connected("http://127.0.0.1:9", sys.argv[1])
except OutboxError as error:
    print(error)
"""


def test_a_file_that_cannot_be_written_is_refused(hub: FakeHub, path: Path) -> None:
    """With its path; root, which may write everything, gives up that right for the test."""
    with connected(hub.url, path):
        pass
    path.chmod(0o400)
    rights: list[str] = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("setpriv is not installed")
        rights = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    command = [*rights, sys.executable, "-P", "-c", READ_ONLY, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    printed = subprocess.check_output(command, env=environment, text=True, timeout=SECONDS)
    assert printed == f"{path} cannot be opened and written\n"


def test_a_directory_that_is_absent_is_told(hub: FakeHub, tmp_path: Path) -> None:
    """At once, with its path."""
    with pytest.raises(OutboxError, match="absent"):
        connected(hub.url, tmp_path / "absent" / "outbox.db")
    with pytest.raises(OutboxError, match=tmp_path.name):
        connected(hub.url, tmp_path)


ON_A_FULL_DISK = """
import resource
from openapi.clients.python.errors import OutboxFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outbox = connected(url, path, background=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
kept = 0
try:
    while True:
        outbox.keep(event(kept, text="x" * 5000), "events")
        kept += 1
except OutboxFull:
    print(kept, outbox.counts().pending)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert outbox.flush(20)
print(outbox.keep(event(kept), "events"), outbox.close())
"""


def test_11_a_full_disk_is_told_to_the_caller(hub: FakeHub, path: Path) -> None:
    """What was added before is still there, and is sent; with room again, the outbox goes on."""
    kept, pending, _, is_sent = output(started(ON_A_FULL_DISK, hub.url, path)).split()
    assert int(kept) == int(pending) > 5
    assert is_sent == "True"
    assert [item["number"] for item in hub.accepted["events"]] == list(range(int(kept) + 1))


def test_a_file_that_is_deleted_while_it_is_used_loses_nothing(hub: FakeHub, path: Path) -> None:
    """What it had, refused items, too, is in the new one; also if a fork comes first, and from two outboxes."""
    hub.refuse = lambda item: "it is bad" if item["number"] == 0 else None
    first = connected(hub.url, path, background=False)
    second = connected(hub.url, path, background=False)
    bad = add(first, event(0))
    assert first.flush(20)
    keys = add(first, event(1), event(2))
    for file in path.parent.glob("outbox.db*"):
        file.unlink()
    keys += add(second, event(3))
    first.before_fork()
    first._database.before_fork()
    first._database.after_fork(is_child=False)
    keys += add(first, event(4))
    assert second.flush(20)
    assert [item["client_event_id"] for item in hub.accepted["events"]] == keys
    assert [each.key for each in first.refused()] == bad
    assert balance(first) == 0
    first.close()
    second.close()


def test_a_file_that_is_deleted_before_a_fork_loses_nothing(hub: FakeHub, path: Path) -> None:
    """Its items are saved before it is closed."""
    outbox = connected(hub.url, path, background=False)
    key = add(outbox, event(0))
    path.unlink()
    outbox._database.before_fork()
    outbox._database.after_fork(is_child=False)
    assert outbox.close()
    assert [item["client_event_id"] for item in hub.accepted["events"]] == key


def test_items_of_a_deleted_directory_are_saved_when_it_is_there_again(hub: FakeHub, tmp_path: Path) -> None:
    """Until then `add` raises."""
    directory = tmp_path / "outboxes"
    directory.mkdir()
    outbox = connected(hub.url, directory / "outbox.db", background=False)
    keys = add(outbox, event(1))
    shutil.rmtree(directory)
    with pytest.raises(OutboxError):
        add(outbox, event(2))
    directory.mkdir()
    keys += add(outbox, event(3))
    assert outbox.close()
    assert [item["client_event_id"] for item in hub.accepted["events"]] == keys


MOUNTS = """21 26 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
26 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
90 26 0:51 / /srv/two\\040words rw,relatime shared:51 - nfs4 server:/export rw,vers=4.2
91 26 0:52 / /srv/local rw - nfs server:/other rw
92 91 254:2 / /srv/local rw master:1 - xfs /dev/vdb rw
93 26 0:53 / /home/a rw - fuse.sshfs a@b:/ rw
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/srv/two words", "nfs4"),
        ("/srv/two words/deep/er", "nfs4"),
        ("/srv/two wordsmith", "ext4"),
        ("/srv/local/a", "xfs"),
        ("/home/a/b", "fuse.sshfs"),
        ("/home", "ext4"),
        ("/", "ext4"),
        ("/sys/fs", "sysfs"),
    ],
)
def test_the_file_system_of_a_directory_is_the_nearest_mount(directory: str, kind: str) -> None:
    """By whole names; the later one of two at the same place; a blank in a name is written as an octal number."""
    assert file_systems._kind_at(directory, MOUNTS.splitlines()) == kind


def test_a_file_on_a_network_is_refused(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; where the system cannot tell, nothing is refused."""
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)
    file_systems.require_local(tmp_path)
    mounts.write_text(f"26 1 254:1 / / rw - ext4 /dev/vda1 rw\n90 26 0:51 / {tmp_path} rw - nfs4 server:/export rw\n")
    with pytest.raises(OutboxError, match=r"network file system \(nfs4\): put the outbox on a local disk"):
        connected(hub.url, tmp_path / "outbox.db")
    assert not (tmp_path / "outbox.db").exists()


def fill(outbox: KeptItems) -> None:
    """Add items of a kilobyte each, without end."""
    for number in itertools.count():
        add(outbox, event(number, text="x" * 1000))
        outbox.counts()


def test_11_bounds_of_items_and_bytes_are_told_to_the_caller(hub: FakeHub, path: Path) -> None:
    """Nothing older is dropped, and what is sent makes room."""
    with connected(hub.url, path, background=False, max_items=50) as outbox:
        add(outbox, *(event(number) for number in range(50)))
        with pytest.raises(OutboxFull, match="50 items"):
            add(outbox, event(50))
        assert outbox.flush(20)
        add(outbox, event(51))
    with connected(hub.url, path, background=False, max_bytes=200_000) as outbox:
        with pytest.raises(OutboxFull, match="bytes"):
            fill(outbox)
        assert outbox.counts().pending > 50
        assert path.stat().st_size < 400_000
        assert outbox.flush(20)
        add(outbox, event(52))
    assert [item["number"] for item in hub.accepted["events"]][:51] == [*range(50), 51]
