"""YAML with anchors, aliases and merge keys."""

import pytest

from openapi import document_text
from openapi.document_text import MAX_DEPTH
from openapi.sources.yaml_nodes import TextFault, compose

LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 20)]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("- &x {b: 1, c: 2}\n- &y {b: 3, d: 4}\n- <<: [*x, *y]\n  d: 5", {"b": 1, "c": 2, "d": 5}),
        ("- &x {b: 1}\n- &y {<<: *x, c: 2}\n- {d: 3, <<: *y}", {"b": 1, "c": 2, "d": 3}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("'<<': {b: 1}", {"<<": {"b": 1}}),
    ],
)
def test_aliases_and_merge_keys_have_the_meaning_of_yaml(text: str, value: object) -> None:
    """A member that is written goes before a merged one, an earlier mapping before a later one."""
    composed = compose(text).value
    assert (composed[-1] if isinstance(composed, list) else composed) == value


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("a: 1\nb: &x [1, *x]", (2, 11), r"the alias \*x stands within its own anchor"),
        ("a: &x\n  <<: *x", (2, 7), r"the alias \*x stands within its own anchor"),
        ("a: *x", (1, 4), r"the alias \*x has no anchor before it"),
        ("a: 1\n<<: 3", (2, 1), "the merge key << needs a mapping"),
        ("a: &x [1]\nb:\n  <<: *x", (3, 3), "the merge key << needs a mapping"),
        ("a: &x k\n*x : 1", (2, 1), "a key is not a string"),
        ("a: 1\nb: 2\na: 3", (3, 1), "the key 'a' occurs twice"),
        ("a: !!python/object:os.system x", (1, 4), "tags are not accepted"),
        ("a: 1\n---\nb: 2", (2, 1), "a second document begins"),
        ("a: 1\nb: c: d", (2, 5), "it is not YAML: "),
        ("a: 1\nb: \x07", (2, 4), r"the character U\+0007 is not allowed"),
        ("a: " + "9" * 5000, (1, 4), "a number is too long"),
        ("[" * 5000, (1, MAX_DEPTH + 1), "nested more than"),
    ],
)
def test_what_cannot_be_read_has_its_place(text: str, place: tuple[int, int], reason: str) -> None:
    """Line and column begin at 1."""
    with pytest.raises(TextFault, match=reason) as caught:
        compose(text)
    assert (caught.value.line, caught.value.column) == place


def test_aliases_may_not_grow_without_bound() -> None:
    """Ten aliases of ten aliases, and so on, are refused before they stand for a million values."""
    with pytest.raises(TextFault, match="stand for more than 1,000,000 values") as caught:
        compose(LAUGHS)
    assert caught.value.line == 6


def test_merge_keys_may_not_grow_without_bound() -> None:
    """A mapping that merges a large one again and again counts each time."""
    members = ", ".join(f"k{index}: 1" for index in range(5000))
    with pytest.raises(TextFault, match="aliases stand for more than"):
        compose(f"a: &a {{{members}}}\n" + "\n".join(f"b{index}: {{<<: *a}}" for index in range(1000)))


def test_aliases_may_stand_for_twenty_times_what_is_written() -> None:
    """A document that shares its parts as people write it is read, and one that shares much more is not."""
    part = "a: &a [" + ", ".join("x" * 1000) + "]\n"
    assert len(compose(part + "b: [" + ", ".join(["*a"] * 25) + "]").value["b"]) == 25
    with pytest.raises(TextFault, match="more than 30,"):
        compose(part + "b: [" + ", ".join(["*a"] * 40) + "]")


def test_aliases_may_not_nest_too_deep() -> None:
    """The depth of what an alias stands for counts where the alias is."""
    deep = "a: &a " + "[" * 60 + "]" * 60 + "\n"
    with pytest.raises(TextFault, match="nested more than"):
        compose(deep + "b: " + "[" * 60 + "*a" + "]" * 60)
    levels = "\n".join([f"a{level}: &a{level} [*a{level - 1}]" for level in range(1, 150)])
    with pytest.raises(TextFault, match="nested more than"):
        compose("a0: &a0 x\n" + levels)


def test_a_text_without_aliases_has_the_value_that_publishing_reads() -> None:
    """Both readers take the same scalars."""
    text = "\n".join(
        f"- {word}" for word in ("yes", "0x1", "1_000", "+1", ".5", "1.", "1e3", "-0", "~", "null", "''", "a b")
    )
    assert compose(text).value == [
        *("yes", "0x1", "1_000", "+1", ".5", "1.", 1000.0, 0, None, None, "", "a b"),
    ]
    assert compose(text).value == document_text.read(text, len(text))
