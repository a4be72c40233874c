"""What waits, in its order, as it comes and goes."""

import pytest

from tests.openapi.clients.typescript.programs import Programs

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

WAITING = """
const { SortedEntries } = await import("./package/outbox/files/sorted_entries.js");
const { WaitingEntries, TOO_FAR_MS } = await import("./package/outbox/files/waiting_entries.js");
const { Entry } = await import("./package/outbox/files/ledger.js");
const entry = (id, addedAt, rest) =>
  Object.assign(new Entry(id), { addedAt, kind: "k", place: { log: { name: "l" }, offset: 0, length: 1 }, ...rest });
const ids = (entries) => [...entries].map(({ id }) => id);
"""


def test_entries_stay_in_their_order(node: Programs) -> None:
    """Like a list that is sorted anew after each change, whatever comes and goes in whatever order."""
    code = """
    let seed = 7;
    const random = (most) => (seed = (seed * 48271) % 2147483647) % most;
    const sorted = new SortedEntries(({ addedAt }) => addedAt);
    let list = [];
    let differences = 0;
    for (let step = 0; step < 3000; step++) {
      if (random(5) < 3 || !list.length) {
        const added = entry(`${step}`, random(4) ? step : random(3000));
        sorted.add(added); sorted.add(added);
        list.push(added);
      } else {
        const [gone] = list.splice(random(2) ? 0 : random(list.length), 1);
        sorted.delete(gone); sorted.delete(gone);
        if (random(3) === 0) { sorted.add(gone); list.push(gone); }
      }
      if (random(3)) continue;
      const order = new Map(ids(list).map((id, index) => [id, index]));
      list = list.sort((one, other) => one.addedAt - other.addedAt || order.get(one.id) - order.get(other.id));
      const ranks = [...sorted].map(({ addedAt }) => addedAt);
      differences += ranks.join() !== list.map(({ addedAt }) => addedAt).join();
      differences += ids(sorted).sort().join() !== ids(list).sort().join() || sorted.size !== list.length;
      differences += sorted.first?.addedAt !== list[0]?.addedAt || sorted.last?.addedAt !== list.at(-1)?.addedAt;
    }
    show([differences, list.length > 100]);
    const equal = new SortedEntries(() => 1);
    for (const id of ["a", "b", "c"]) equal.add(entry(id, 1));
    show(ids(equal));
    """
    assert node.run(WAITING + code) == [[0, True], ["a", "b", "c"]]


def test_what_is_put_off_is_due_when_its_time_has_come(node: Programs) -> None:
    """Then at its age; a time that is too far ahead has passed, as the clock was set back."""
    code = """
    const waiting = new WaitingEntries();
    const now = Date.now();
    const [late, soon, far, old] = [
      entry("late", 1, { notBefore: now + 60_000 }), entry("soon", 2, { notBefore: now + 300 }),
      entry("far", 3, { notBefore: now + TOO_FAR_MS + 60_000 }), entry("old", 0, { kind: "other" }),
    ];
    for (const each of [late, soon]) waiting.place(each);
    const wait = waiting.nextDue();
    show([ids(waiting.due("k")), wait > 0 && wait <= 300, waiting.count]);
    for (const each of [far, old]) waiting.place(each);
    show([ids(waiting.due("k")), ids(waiting.due("other")), ids(waiting.due("none")), waiting.nextDue()]);
    await new Promise((resolve) => setTimeout(resolve, 310));
    show([ids(waiting.due("k")), waiting.count, waiting.kept.size]);
    Object.assign(soon, { ending: "sent" }); Object.assign(far, { refused: {} }); Object.assign(late, { notBefore: 0 });
    for (const each of [soon, far, late]) waiting.place(each);
    show([ids(waiting.due("k")), waiting.count, ids(waiting.kept)]);
    """
    assert node.run(WAITING + code) == [
        [[], True, 2],
        [["far"], ["old"], [], 0],
        [["soon", "far"], 4, 4],
        [["late"], 2, ["old", "late", "far"]],
    ]
