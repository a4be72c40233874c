"""The Prefer header: finding the preferences that it names, and only those."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi.standards.prefer import DRY_RUN, prefers

TOKENS = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)
QUOTED = st.text(st.characters(codec="latin-1", exclude_characters='"\\\n'), max_size=8).map(lambda text: f'"{text}"')
SPACE = st.sampled_from(["", " ", "\t", "  "])
EMPTY = st.just("") | st.builds(
    lambda before, after, value: f"{before}={after}{value}", SPACE, SPACE, st.sampled_from(["", '""'])
)
VALUES = EMPTY | st.builds(lambda before, after, value: f"{before}={after}{value}", SPACE, SPACE, TOKENS | QUOTED)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("dry-run", id="alone"),
        pytest.param("Dry-Run", id="in capitals"),
        pytest.param(" \tdry-run\t ", id="white space around"),
        pytest.param("handling=strict, dry-run", id="after another"),
        pytest.param("handling=strict,dry-run,wait=10", id="between others"),
        pytest.param("handling=strict; dry-run", id="as a parameter"),
        pytest.param("handling ; a=1;dry-run ;b", id="as one of several parameters"),
        pytest.param('a="x, y; \\"z\\"" ; b = "", dry-run', id="after texts in quotes"),
        pytest.param(", ,dry-run", id="after empty elements"),
        pytest.param("a;;dry-run", id="after an empty parameter"),
        pytest.param("dry-run=", id="with an empty value, which is none"),
        pytest.param('dry-run = ""', id="with an empty text in quotes"),
        pytest.param("dry-run; a=b", id="with a parameter"),
        pytest.param("dry-run, dry-run=false", id="before one of its name with a value"),
        pytest.param("dry-run; dry-run=0", id="before a parameter of its name"),
        pytest.param("handling=strict; dry-run, dry-run=0", id="as a parameter, before one with a value"),
        pytest.param("handling=strict; dry-run=0, dry-run", id="after a parameter of its name with a value"),
        pytest.param("dry-run, (", id="before what is malformed"),
    ],
)
def test_a_preference_is_found(field: str) -> None:
    """At any place in a list, by itself or, as the contract has it, as a parameter."""
    assert prefers(field, DRY_RUN)


@pytest.mark.parametrize(
    "field",
    [
        *("dry-run=0", "dry-run=1", "dry-run=false", "dry-run=true", "DRY-RUN = No", 'dry-run="0"', 'dry-run=" "'),
        'dry-run="\\""',
        "wait=1,dry-run=off",
        "handling=strict; dry-run=false",
        "handling=strict; a; dry-run=0; b, wait=1",
        "dry-run=false; a=b",
        "\u00a0dry-run",
        "dry-run\u2003",
    ],
)
def test_with_a_value_it_is_another_preference(field: str) -> None:
    """A value that is not empty makes a preference that the service does not know (RFC 7240 section 2).

    So does a blank other than those of HTTP.
    """
    assert not prefers(field, DRY_RUN)


@pytest.mark.parametrize("field", ["dry-run=false, dry-run", "dry-run=false; dry-run", "dry-run=0, a; dry-run"])
def test_the_first_of_two_counts(field: str) -> None:
    """A preference that is named again has no effect (RFC 7240 section 2)."""
    assert not prefers(field, DRY_RUN)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(None, id="no header"),
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("return=minimal", id="another"),
        pytest.param("dry-run-not", id="one that begins alike"),
        pytest.param("no-dry-run", id="one that ends alike"),
        pytest.param("dry run", id="two words"),
        pytest.param("a=dry-run", id="as a value"),
        pytest.param('a="dry-run"', id="as a value in quotes"),
        pytest.param('a="x, dry-run"', id="after a comma in quotes"),
        pytest.param('a="\\", dry-run"', id="after a quote in quotes"),
        pytest.param('a="x, dry-run', id="in quotes that do not end"),
        pytest.param("a xdry-run", id="after a space and a letter"),
        pytest.param('a="x"ydry-run', id="after quotes and a letter"),
        pytest.param("(, dry-run", id="after what is malformed"),
        pytest.param("dry-run a", id="before what does not belong there"),
        pytest.param("dry-run\x00", id="a control character"),
        pytest.param("dry\u2010run", id="another hyphen"),
    ],
)
def test_nothing_else_is_taken_for_a_preference(field: str | None) -> None:
    """Not part of a value, a similar name, or anything after a malformed element."""
    assert not prefers(field, DRY_RUN)


@settings(deadline=None)
@given(st.lists(st.tuples(TOKENS, VALUES, st.sampled_from(",;"), SPACE), max_size=6), st.integers(0, 6), EMPTY)
def test_a_preference_is_found_exactly_where_it_is_named(
    others: list[tuple[str, str, str, str]], place: int, value: str
) -> None:
    """Among any other well-formed preferences, parameters and values."""
    elements = [f"{space}{name}{suffix}{space}{separator}" for name, suffix, separator, space in others]
    assert not prefers("".join(elements), DRY_RUN)
    elements.insert(place, f"dry-run{value},")
    assert prefers("".join(elements), DRY_RUN)


@settings(deadline=None)
@given(st.text() | st.text('dry-run=;, "\\\t'))
def test_no_header_raises_anything(field: str) -> None:
    """Any value is a dry run or not, and only a value that contains `dry-run` can be one."""
    assert prefers(field, DRY_RUN) <= ("dry-run" in field.lower())


@pytest.mark.parametrize(
    "field",
    ["a" * 10**5, "a=" + " " * 10**5 + "(", 'a="' + "\\" * 10**5, "," * 10**5],
    ids=["a name", "blanks", "quotes", "commas"],
)
def test_a_hostile_header_takes_linear_time(field: str) -> None:
    """No text makes the pattern backtrack."""
    began = time.process_time()
    assert not prefers(field, DRY_RUN)
    assert time.process_time() - began < 1
