"""What needs no major version breaks no request, and no answer: Hypothesis looks for one that it does break."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openapi.contract import DOCUMENTS, Document
from openapi.diff.compare import compare
from openapi.diff.rules import Severity, overall
from tests.openapi.diff.documents import with_body
from tests.openapi.diff.exchanges import Exchanges, exchanges
from tests.openapi.diff.mutations import mutated
from tests.openapi.diff.pairs import PAIRS
from tests.openapi.diff.schemas import schema
from tests.openapi.diff.slices import slices

pytestmark = pytest.mark.slow

EXAMPLES = 10
"""Requests that are looked for in each pair."""
ROUNDS = 14
"""Mutated copies of each document, each compared with it in both directions."""

NOT_JUDGED = {"what only answers have, behind a reference, becomes required: request"}
"""Pairs with `readOnly` behind a reference, which openapi-schema-validator does not follow there (measured: 0.9.0)."""

Pair = tuple[str, Document, Document]
RELEASED = [Document.of_file(path).document for path in sorted(DOCUMENTS.glob("*.yaml"))]


def asked() -> list[dict[str, Any]]:
    """Documents of one operation of the release each, of which the requests alone are told."""
    return [piece for raw in RELEASED for piece in slices(raw, has_answers=False)]


def answered() -> list[dict[str, Any]]:
    """Documents of one operation of the release each, a part of them."""
    return [piece for raw in RELEASED for piece in slices(raw)][::3]


def invented() -> list[dict[str, Any]]:
    """Documents of one body each, made by chance, of which requests are easily made."""
    dice = random.Random(5)  # noqa: S311 - no secret
    made = [with_body(schema(dice)) for _ in range(60)]
    return [one.document for one in made if sum(request_of(one, dice) is not None for _ in range(20)) >= 10][:24]


def request_of(document: Document, dice: random.Random) -> Any:
    """A request to its first operation, or None."""
    return next(exchanges(document)).request(dice)


def mutations(bases: list[dict[str, Any]], rounds: int) -> Iterator[Pair]:
    """Each document beside mutated copies, in both directions, where that needs no major version."""
    dice = random.Random(5)  # noqa: S311 - no secret
    for index, base in enumerate(bases):
        for turn in range(rounds):
            other = mutated(base, dice)
            for name, old, new in (("to", base, other), ("from", other, base)):
                pair = f"{index} {name} its {turn}. copy", Document("", old), Document("", new)
                if old != new and overall(compare(*pair[1:])) < Severity.MAJOR:
                    yield pair


def labelled() -> Iterator[Pair]:
    """The pairs that are labelled by hand."""
    for pair in PAIRS:
        if overall(pair.changes()) < Severity.MAJOR and pair.name not in NOT_JUDGED:
            yield pair.name, pair.old, pair.new


def matched(old: Document, new: Document) -> Iterator[tuple[Exchanges, Exchanges]]:
    """The operations of `old`, each with what serves its requests in `new`."""
    serving = {key: one for one in exchanges(new) for key in one.keys}
    for one in exchanges(old):
        found = [serving[key] for key in sorted(one.keys) if key in serving]
        assert found, one.keys
        yield one, found[0]


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(dice=st.randoms(use_true_random=False))
def find(has_broken: Callable[[random.Random], Any], dice: random.Random) -> None:
    """Look for an exchange that `has_broken` returns."""
    broken = has_broken(dice)
    assert broken is None, broken


def requests_of(pair: Pair) -> int:
    """How many requests that the old document accepts were tried: the new one accepts all."""
    tried = Counter[str]()
    for old, new in matched(*pair[1:]):

        def broken(dice: random.Random, old: Exchanges = old, new: Exchanges = new) -> Any:
            request = old.request(dice)
            tried["requests"] += request is not None
            return None if request is None or new.accepts(request) else (pair[0], request)

        find(broken)
    return tried["requests"]


def answers_of(pair: Pair) -> int:
    """How many answers that the new document promises were tried: the old one promises all but new errors."""
    tried = Counter[str]()
    for old, new in matched(*pair[1:]):

        def broken(dice: random.Random, old: Exchanges = old, new: Exchanges = new) -> Any:
            answer = new.answer(dice)
            tried["answers"] += answer is not None
            return None if answer is None or old.promises(answer) else (pair[0], answer)

        find(broken)
    return tried["answers"]


@pytest.mark.parametrize(
    ("found", "least"),
    [
        pytest.param(lambda: mutations(asked(), ROUNDS), 200, id="requests of the release"),
        pytest.param(lambda: mutations(invented(), ROUNDS), 250, id="invented bodies"),
        pytest.param(labelled, 250, id="labelled pairs"),
    ],
)
def test_what_the_old_document_accepts_the_new_one_accepts(found: Callable[[], Iterator[Pair]], least: int) -> None:
    """Of each pair that needs no major version; in nearly all of them there is something to accept."""
    tried = [requests_of(pair) for pair in found()]
    assert len(tried) >= least
    assert sum(count > 0 for count in tried) >= 0.9 * len(tried)
    assert sum(tried) >= 5 * len(tried)


def test_what_the_new_document_answers_the_old_one_promised() -> None:
    """Of each pair that needs no major version."""
    tried = [answers_of(pair) for pair in (*mutations(answered(), ROUNDS), *labelled())]
    assert len(tried) >= 300
    assert sum(tried) >= 3 * len(tried)
