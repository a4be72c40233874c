"""What a page sends when it ends: no more than browsers let outlive it."""

import pytest

from tests.openapi.clients.typescript.programs import Programs

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

ROWS = """
const { counted, fitting } = await import("./package/outbox/last_requests.js");
const rows = (count, bytes) => [...Array(count).keys()].map((id) => ({ id: `${id}`, body: new Uint8Array(bytes) }));
"""


def test_the_first_rows_that_fit_are_sent(node: Programs) -> None:
    """In 60 KiB with brackets and commas, at most as many as one request may have; none after one that does not fit."""
    code = """
    show([fitting(rows(100, 1023), 500).length, fitting(rows(100, 10), 7).length, fitting([], 7).length]);
    show([fitting(rows(1, 60 * 1024 - 2), 1).length, fitting(rows(1, 60 * 1024 - 1), 1).length]);
    show(fitting([...rows(1, 70_000), ...rows(1, 1)], 500).length);
    """
    assert node.run(ROWS + code) == [[59, 7, 0], [1, 0], 0]


def test_requests_that_are_under_way_count(node: Programs) -> None:
    """Of the whole page, by bytes and by number, until they are answered or fail."""
    code = """
    const answers = [];
    const begin = (count, bytes) =>
      counted(rows(count, bytes), () => new Promise((...answer) => answers.push(answer))).catch(() => "failed");
    const first = begin(1, 40_000);
    show([fitting(rows(1, 30_000), 1).length, fitting(rows(1, 20_000), 1).length]);
    const others = [...Array(8)].map(() => begin(1, 1));
    show(fitting(rows(1, 1), 1).length);
    answers[0][1](new Error("an outage"));
    show([await first, fitting(rows(1, 30_000), 1).length]);
    for (const [answer] of answers) answer("answered");
    show([...(await Promise.all(others)), fitting(rows(1, 60_000), 1).length]);
    """
    assert node.run(ROWS + code) == [[0, 1], 0, ["failed", 1], [*["answered"] * 8, 1]]


def test_a_page_remembers_no_more_than_it_could_send(node: Programs) -> None:
    """Of what it added; an item that is settled makes room."""
    code = """
    const { LatestItems } = await import("./package/outbox/indexed_db/latest_items.js");
    const latest = new LatestItems();
    for (const row of rows(100, 1024)) latest.add({ ...row, kind: row.id < 50 ? "a" : "b" });
    show([latest.ids.length, latest.of({ name: "a" }).length, latest.of({ name: "b" }).length]);
    for (const id of ["0", "1", "no id"]) latest.delete(id);
    for (const row of rows(3, 1024)) latest.add({ ...row, id: `new ${row.id}`, kind: "b" });
    show(latest.of({ name: "b" }).map(({ id }) => id).slice(-3));
    """
    assert node.run(ROWS + code) == [[60, 50, 10], ["59", "new 0", "new 1"]]
