"""Patterns: what is found matches, what is said not to be there is not, and hostile patterns end soon."""

import itertools
import random
import re
from contextlib import suppress

import pytest

from openapi.schemas.patterns import UndecidedError, example

TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("abc", repeat=length)]


def pattern(dice: random.Random, levels: int) -> str:
    """A regular expression over a, b and c."""
    if levels == 0:
        return dice.choice(["a", "b", "c", ".", "[ab]", "[^a]", "^", "$", ""])
    inner = [pattern(dice, levels - 1) for _ in range(2)]
    repeated = f"(?:{inner[0]}){dice.choice(['*', '+', '?', '{2}', '{1,2}', '*?'])}"
    return dice.choice(["".join(inner), "|".join(inner), repeated, f"({inner[0]}){inner[1]}"])


def matches(expression: str, text: str) -> bool:
    """Whether Python finds `expression` in `text`, with `$` and `.` as JavaScript reads them."""
    return re.search(expression.replace("$", r"\Z").replace(".", r"[^\n\r\u2028\u2029]"), text) is not None


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
@pytest.mark.timeout(20)
def test_hostile_patterns_end(expression: str) -> None:
    """With an answer or without one."""
    with suppress(UndecidedError):
        example(("^[ab]*$",), (expression,), 3)
