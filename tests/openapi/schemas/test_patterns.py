"""Patterns: each example matches, None means that no text does, and hostile patterns end soon."""

import ast
import inspect
import itertools
import random
import re
import time
from contextlib import suppress
from typing import TypeGuard

import pytest

from openapi.schemas import patterns
from openapi.schemas.patterns import UndecidedError, example, parser, sre

TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("abc", repeat=length)]


def pattern(dice: random.Random, levels: int) -> str:
    """A regular expression over a, b and c."""
    if levels == 0:
        return dice.choice(["a", "b", "c", ".", "[ab]", "[^a]", "^", "$", ""])
    inner = [pattern(dice, levels - 1) for _ in range(2)]
    repeated = f"(?:{inner[0]}){dice.choice(['*', '+', '?', '{2}', '{1,2}', '*?'])}"
    return dice.choice(["".join(inner), "|".join(inner), repeated, f"({inner[0]}){inner[1]}"])


def is_of(node: ast.AST, module: str) -> TypeGuard[ast.Attribute]:
    """True if `node` is an attribute of the name `module`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module


def matches(expression: str, text: str) -> bool:
    """True if Python finds `expression` in `text`, with `$` and `.` as in JavaScript."""
    return re.search(expression.replace("$", r"\Z").replace(".", r"[^\n\r\u2028\u2029]"), text) is not None


def test_python_s_parser_has_what_we_rely_on() -> None:
    """Its modules and their names are not public: if one is gone, openapi/schemas/patterns.py must be adapted."""
    used = {node.attr for node in ast.walk(ast.parse(inspect.getsource(patterns))) if is_of(node, "sre")}
    gone = sorted(name for name in used if not hasattr(sre, name))
    assert len(used) >= 10
    assert not gone, f"openapi/schemas/patterns.py relies on names that re._constants no longer has: {gone}"
    parse = getattr(parser, "parse", None)
    assert parse, "openapi/schemas/patterns.py relies on re._parser.parse, which is gone"
    parsed = parse("(?:a{2,})[^bd]|(c)", re.ASCII)
    assert parsed.state.flags == re.ASCII, "re._parser represents flags otherwise"
    ((operation, (_, branches)),) = parsed
    assert operation is sre.BRANCH, "re._parser represents branches otherwise"
    (repeated, (minimum, maximum, inner)), (one_of, characters) = branches[0]
    assert (repeated, minimum, maximum) == (sre.MAX_REPEAT, 2, sre.MAXREPEAT)
    assert [*inner] == [(sre.LITERAL, ord("a"))]
    assert (one_of, characters) == (
        sre.IN,
        [(sre.NEGATE, None), *((sre.LITERAL, ord(character)) for character in "bd")],
    )
    ((group, (_, added, dropped, _)),) = branches[1]
    assert (group, added, dropped) == (sre.SUBPATTERN, 0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_another_engine(seed: int) -> None:
    """Each example matches; where there is no example, no short text matches."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(250):
        own, other = pattern(dice, dice.randrange(4)), pattern(dice, dice.randrange(4))
        minimum, maximum = dice.choice([(0, None), (0, 2), (2, 4), (1, None)])
        try:
            match = example((own,), (other,), minimum, maximum)
        except UndecidedError:
            continue
        texts = [text for text in TEXTS if minimum <= len(text) <= (5 if maximum is None else maximum)]
        if match is None:
            assert not [text for text in texts if matches(own, text) and not matches(other, text)], (own, other)
        else:
            assert matches(own, match), (own, match)
            assert not matches(other, match), (other, match)
            assert minimum <= len(match) <= (maximum or len(match))


@pytest.mark.parametrize(
    "expression", ["(?i)a", "(?x) a", "[[a]", "[a&&b]", "[]a]", "a{,3}", r"\07", r"(a)\1", "(?=a)"]
)
def test_ambiguous_patterns_are_not_decided(expression: str) -> None:
    """Patterns that Python and JavaScript read differently, and patterns of no regular language."""
    with pytest.raises(UndecidedError):
        example((expression,), ("^a$",))


@pytest.mark.parametrize(
    "expression",
    [
        "(?:){4000000000}",
        "(?:(?:(?:){65535}){65535}){0,65535}",
        "(?:" * 200 + "a" + ")*" * 200,
        "(a{1000}){1000}",
        "(a|b)*a(a|b){200}$",
        "[" + "".join(chr(0x4E00 + 2 * index) for index in range(15_000)) + "]",
    ],
    ids=["nothing", "nothing nested", "deep", "long", "explosive", "a large class"],
)
def test_hostile_patterns_end(expression: str) -> None:
    """With an example or without one, within seconds of processor time."""
    begin = time.process_time()
    with suppress(UndecidedError):
        example(("^[ab]*$",), (expression,), 3)
    assert time.process_time() - begin < 20


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (("^(red|blue)$",), {"red", "blue"}),
        (("^[ab]c?$",), {"a", "ac", "b", "bc"}),
        (("^a{0,2}$",), {"", "a", "aa"}),
        (("^(red|blue)$", "e$"), {"blue"}),
        (("^$",), {""}),
        (("^a$", "^b$"), set()),
        (("red",), None),
        (("^a*$",), None),
        (("^[^a]$",), None),
        (("^[a-z]{3}$",), None),
    ],
)
def test_the_texts_of_a_pattern(matching: tuple[str, ...], expected: set[str] | None) -> None:
    """All of them, if they are few."""
    found = patterns.texts(matching)
    assert (None if found is None else set(found)) == expected
    assert found is None or len(found) == len(set(found))


def test_the_texts_of_a_pattern_within_lengths() -> None:
    """An unlimited pattern has few short texts."""
    assert patterns.texts(("^a*$",), 1, 3) == ("a", "aa", "aaa")
    with pytest.raises(UndecidedError):
        patterns.texts(("^(?=a)a$",))


def test_the_texts_of_random_patterns() -> None:
    """As Python matches them: an independent implementation."""
    dice, counted = random.Random(7), 0  # noqa: S311
    for _ in range(400):
        written = f"^(?:{pattern(dice, 2)})$"
        with suppress(UndecidedError):
            found = patterns.texts((written,), 0, 3)
            if found is not None:
                counted += 1
                expected = {text for text in TEXTS if len(text) < 4 and re.search(written, text)}
                assert {text for text in found if set(text) <= set("abc")} == expected, written
    assert counted > 100
