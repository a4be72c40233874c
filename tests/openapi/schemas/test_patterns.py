"""Patterns: what is found matches, what is said not to be there is not, and hostile patterns end soon."""

import ast
import inspect
import itertools
import random
import re
import time
from contextlib import suppress
from re import _constants as sre
from re import _parser
from typing import TypeGuard

import pytest

from openapi.schemas import patterns
from openapi.schemas.patterns import UndecidedError, example

TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("abc", repeat=length)]


def pattern(dice: random.Random, levels: int) -> str:
    """A regular expression over a, b and c."""
    if levels == 0:
        return dice.choice(["a", "b", "c", ".", "[ab]", "[^a]", "^", "$", ""])
    inner = [pattern(dice, levels - 1) for _ in range(2)]
    repeated = f"(?:{inner[0]}){dice.choice(['*', '+', '?', '{2}', '{1,2}', '*?'])}"
    return dice.choice(["".join(inner), "|".join(inner), repeated, f"({inner[0]}){inner[1]}"])


def is_of(node: ast.AST, module: str) -> TypeGuard[ast.Attribute]:
    """Whether `node` is an attribute of the name `module`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module


def matches(expression: str, text: str) -> bool:
    """Whether Python finds `expression` in `text`, with `$` and `.` as JavaScript reads them."""
    return re.search(expression.replace("$", r"\Z").replace(".", r"[^\n\r\u2028\u2029]"), text) is not None


def test_python_s_own_parser_is_what_is_relied_on() -> None:
    """Its modules and what is used of them have no public names: where one is gone, patterns have to be adapted."""
    used = {node.attr for node in ast.walk(ast.parse(inspect.getsource(patterns))) if is_of(node, "sre")}
    gone = sorted(name for name in used if not hasattr(sre, name))
    assert len(used) >= 10
    assert not gone, f"re._constants has these no more, on which openapi/schemas/patterns.py relies: {gone}"
    parse = getattr(_parser, "parse", None)
    assert parse, "re._parser.parse is gone, on which openapi/schemas/patterns.py relies"
    parsed = parse("(?:a{2,})[^bd]|(c)", re.ASCII)
    assert parsed.state.flags == re.ASCII, "re._parser tells of flags otherwise"
    ((operation, (_, branches)),) = parsed
    assert operation is sre.BRANCH, "re._parser tells of branches otherwise"
    (repeated, (least, most, inner)), (one_of, characters) = branches[0]
    assert (repeated, least, most) == (sre.MAX_REPEAT, 2, sre.MAXREPEAT)
    assert [*inner] == [(sre.LITERAL, ord("a"))]
    assert (one_of, characters) == (sre.IN, [(sre.NEGATE, None), *((sre.LITERAL, ord(one)) for one in "bd")])
    ((group, (_, added, dropped, _)),) = branches[1]
    assert (group, added, dropped) == (sre.SUBPATTERN, 0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_another_engine(seed: int) -> None:
    """Each text that is found is one, and where none is found there is none among all short texts."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(250):
        own, other = pattern(dice, dice.randrange(4)), pattern(dice, dice.randrange(4))
        least, most = dice.choice([(0, None), (0, 2), (2, 4), (1, None)])
        try:
            found = example((own,), (other,), least, most)
        except UndecidedError:
            continue
        texts = [text for text in TEXTS if least <= len(text) <= (5 if most is None else most)]
        if found is None:
            assert not [text for text in texts if matches(own, text) and not matches(other, text)], (own, other)
        else:
            assert matches(own, found), (own, found)
            assert not matches(other, found), (other, found)
            assert least <= len(found) <= (most or len(found))


@pytest.mark.parametrize(
    "expression", ["(?i)a", "(?x) a", "[[a]", "[a&&b]", "[]a]", "a{,3}", r"\07", r"(a)\1", "(?=a)"]
)
def test_what_may_be_read_otherwise_is_not_decided(expression: str) -> None:
    """Where Python and JavaScript differ, and where the language is not regular."""
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
    """With an answer or without one, within seconds of processor time."""
    begin = time.process_time()
    with suppress(UndecidedError):
        example(("^[ab]*$",), (expression,), 3)
    assert time.process_time() - begin < 20
