"""The outbox when the disk is full, fails, or must have what was added."""

from pathlib import Path

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.typescript.programs import Programs
from tests.openapi.clients.typescript.test_outbox import OPEN

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

FILES = """
const { default: fs } = await import("node:fs");
const { syncBuiltinESMExports } = await import("node:module");
const originals = { ...fs };
const replace = (name, replacement) => {
  fs[name] = replacement;
  syncBuiltinESMExports();
};
"""


def test_a_full_disk_is_said_at_once_and_spoils_nothing(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """Half of a line is written: the item is not kept, those before and after it are."""
    code = """
    await add(2);
    replace("writeSync", (descriptor, bytes) => originals.writeSync(descriptor, bytes.subarray(0, 20)));
    const error = await caught(outbox.add(event(2)));
    replace("writeSync", originals.writeSync);
    await outbox.add(event(3));
    show([error.name, (await outbox.counts()).pending]);
    """
    options = {"background": False}
    shown = node.run(OPEN + FILES + code, url=hub.url, path=str(tmp_path), options=options)
    assert shown == [["OutboxFull", 3]]
    code = "show(await outbox.flush()); await outbox.erase(() => false);"
    assert node.run(OPEN + code, url=hub.url, path=str(tmp_path), options=options) == [True]
    assert sorted(item["n"] for item in hub.accepted["interaction_events"]) == [0, 1, 3]
    assert (tmp_path / "unreadable.txt").exists()


def test_what_is_safe_from_a_power_cut_is_on_the_disk_before_add_returns(
    node: Programs, hub: FakeHub, tmp_path: Path
) -> None:
    """The file is synced once for each `add`, the directory for each file; a disk that fails is an error."""
    code = """
    const synced = [];
    for (const name of ["fdatasync", "fsyncSync"]) {
      replace(name, (...given) => { synced.push(name); return originals[name](...given); });
    }
    await outbox.add(event(0)); await outbox.add(event(1));
    show(synced);
    const failing = (_, done) => done(Object.assign(new Error("failed"), { code: "EIO" }));
    replace("fdatasync", failing);
    show((await caught(outbox.add(event(2)))).name);
    """
    options = {"background": False, "powerSafe": True}
    shown = node.run(OPEN + FILES + code, url=hub.url, path=str(tmp_path), options=options)
    assert shown == [["fsyncSync", "fdatasync", "fdatasync"], "OutboxError"]


def test_a_directory_that_cannot_be_used_is_said_at_once(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """A file in its place, or no path at all."""
    (tmp_path / "file").write_text("")
    code = """
    const client = new Client(given.url, { apiKey: "k" });
    show((await caught(Outbox.open(client, { path: given.path }))).name);
    show((await caught(Outbox.open(client, {}))).name);
    """
    assert node.run(code, url=hub.url, path=str(tmp_path / "file")) == ["OutboxError", "TypeError"]
