"""The lines of a log: an item is cut out of its line as it was put in, and lines of other layouts are read as well."""

import pytest

from tests.openapi.clients.typescript.programs import Programs

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

LINES = """
const { bodyOf, crc32ByTable, factOf, lineOf } = await import("./package/outbox/files/lines.js");
const fact = (key, body) => ({ t: "add", id: "i", kind: "k", key, own: true, at: 5, body: Buffer.from(body) });
const written = (text) => Buffer.from(`${crc32ByTable(Buffer.from(text)).toString(16).padStart(8, "0")} ${text}`);
const seen = (line) => {
  const found = factOf(line);
  return found && { ...found, body: `${found.body}`, cut: `${bodyOf(line)}` };
};
"""
HOSTILE = ['k,"item":', '","item":{', "\\", '"size":2,"item":{}}', "\n", "ключ 🗝"]


def test_an_item_is_cut_out_as_it_was_put_in(node: Programs) -> None:
    """Whatever is in its key, and in the item itself; no line has a line end within."""
    code = """
    for (const text of given.texts) {
      const body = JSON.stringify({ [text]: text, item: { n: 1, size: 2, item: {} } });
      const line = lineOf(fact(text, body));
      const { key, size, body: read, cut } = seen(line.subarray(0, -1));
      const isOne = line.indexOf(10) === line.length - 1;
      show([key === text, read === body, cut === body, size === Buffer.byteLength(body), isOne]);
    }
    """
    assert node.run(LINES + code, texts=HOSTILE) == [[True] * 5] * len(HOSTILE)


def test_lines_of_other_layouts_are_read(node: Programs) -> None:
    """Of an earlier version, which has no size; with blanks; with the item first; with a size that is not right."""
    code = """
    const head = '"id":"i","kind":"k","key":"c","own":true,"at":5';
    show(seen(written(`{"t":"add",${head},"item":{"a":[1,"é"]}}`)));
    show(seen(written(`{"t": "add", ${head}, "size": 99, "item": {"a": [1, "é"]}}`)));
    show(seen(written(`{"item":{"a":[1,"é"]},"t":"add",${head}}`)));
    show(seen(written(`{"t":"add",${head},"size":15,"item":{"a":[1,"é"]},"more":1}`)));
    """
    shown = node.run(LINES + code)
    fact = {"t": "add", "id": "i", "kind": "k", "key": "c", "own": True, "at": 5}
    assert len(shown) == 4
    for seen in shown:
        assert seen["body"] == seen["cut"] == '{"a":[1,"é"]}'
        assert fact.items() <= seen.items()


def test_a_line_that_is_spoiled_is_none(node: Programs) -> None:
    """Also one that is too short to have a checksum."""
    code = """
    const line = lineOf(fact("c", "{}")).subarray(0, -1);
    const other = Buffer.from(`${line}`.replace("add", "ade"));
    show([line, line.subarray(0, -1), line.subarray(0, 9), Buffer.from(""), other]
      .map((each) => [factOf(each) !== null, bodyOf(each) !== null]));
    """
    assert node.run(LINES + code) == [[[True, True]] + [[False, False]] * 4]


def test_the_checksum_is_the_same_where_node_has_none(node: Programs) -> None:
    """The check value of ISO 3309, and a line that is written with one and read with the other."""
    code = """
    show(crc32ByTable(Buffer.from("123456789")).toString(16));
    const line = lineOf({ t: "gone", id: "é", how: "sent" });
    show(`${line}` === `${written('{"t":"gone","id":"é","how":"sent"}')}\\n`);
    """
    assert node.run(LINES + code) == ["cbf43926", True]
