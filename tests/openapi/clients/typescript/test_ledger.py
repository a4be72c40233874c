"""What the facts of several processes amount to."""

import pytest

from tests.openapi.clients.typescript.programs import Programs

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

LEDGER = """
const { Ledger } = await import("./package/outbox/files/ledger.js");
const place = { log: { name: "l" }, offset: 0, length: 1 };
const added = (id, at) => ({ t: "add", id, kind: "k", key: id, own: false, at, body: Buffer.from("{}") });
const reason = { status: 422, code: "c", error: "e", help: "", pointer: "" };
const facts = [
  added("a", 3), added("b", 1), added("c", 2), added("d", 4), added("e", 5),
  { t: "gone", id: "a", how: "sent" },
  { t: "refused", id: "b", round: 0, at: 1, reason },
  { t: "refused", id: "c", round: 0, at: 1, reason }, { t: "replayed", id: "c", round: 1 },
  { t: "later", id: "d", attempts: 1, notBefore: 5 }, { t: "later", id: "d", attempts: 2, notBefore: 3 },
  { t: "gone", id: "e", how: "erased" },
  { t: "state", at: 1, state: { failures: 2, lastError: "old" } }, { t: "state", at: 2, state: { lastError: "new" } },
];
const seen = (ledger) => [
  ledger.pending().map(({ id, attempts, notBefore }) => [id, attempts, notBefore]),
  ledger.kept().map(({ id, refused }) => [id, refused?.reason.error ?? null]),
  ledger.sums(), ledger.state.failures, ledger.state.lastError,
];
const ledgerOf = (facts) => facts.reduce((ledger, fact) => (ledger.apply(fact, place), ledger), new Ledger());
"""
AMOUNT = [
    [["c", 0, 0], ["d", 2, 3]],
    [["b", "e"], ["c", None], ["d", None]],
    {"added": 5, "sent": 1, "expired": 0, "erased": 1},
    2,
    "new",
]


def test_facts_amount_to_the_same_in_any_order_and_when_they_stand_twice(node: Programs) -> None:
    """As processes that read several files find them."""
    code = """
    show(seen(ledgerOf(facts)));
    show(seen(ledgerOf([...facts].reverse())));
    for (let shift = 1; shift < facts.length; shift++) {
      show(seen(ledgerOf([...facts.slice(shift), ...facts.slice(0, shift), ...facts.slice(shift / 2)])));
    }
    """
    shown = node.run(LEDGER + code)
    assert len(shown) == 15
    assert all(amount == AMOUNT for amount in shown), shown


def test_what_replaces_facts_says_the_same(node: Programs) -> None:
    """Also beside a fact that a process wrote late, of a round that has ended."""
    code = """
    const replaced = [...ledgerOf(facts).facts(["l"], ({ id, addedAt }) => added(id, addedAt))];
    show(seen(ledgerOf(replaced)));
    show(seen(ledgerOf([...replaced, { t: "refused", id: "c", round: 0, at: 1, reason }])));
    show([replaced.length, replaced[0].logs]);
    """
    first, second, facts = node.run(LEDGER + code)
    assert first == second == AMOUNT
    assert facts == [8, ["l"]]
