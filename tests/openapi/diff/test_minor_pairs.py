"""Changes that need no major version break no request and no answer: Hypothesis looks for a counterexample."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openapi.contract import DOCUMENTS, Document
from openapi.diff.comparison.compare import compare
from openapi.diff.rules import Severity, overall
from tests.openapi.diff.documents import with_body
from tests.openapi.diff.exchanges import Exchanges, exchanges
from tests.openapi.diff.mutations import mutated
from tests.openapi.diff.pairs import PAIRS
from tests.openapi.diff.schemas import schema
from tests.openapi.diff.slices import slices

pytestmark = pytest.mark.slow

EXAMPLES = 10
"""Requests that Hypothesis tries for each pair."""
ROUNDS = 14
"""Mutated copies of each document, each compared with it in both directions."""

NOT_JUDGED = {
    "what only answers have, behind a reference, becomes required: request",
    "what only answers have becomes required in another part: request",
}
"""Pairs with `readOnly` away from `required`, where openapi-schema-validator does not see it (measured: 0.9.0)."""

Pair = tuple[str, Document, Document]
RELEASED = [Document.of_file(path).document for path in sorted(DOCUMENTS.glob("*.yaml"))]


def request_documents() -> list[dict[str, Any]]:
    """Documents of one operation of the release each, without its answers."""
    return [piece for raw in RELEASED for piece in slices(raw, has_answers=False)]


def answer_documents() -> list[dict[str, Any]]:
    """A third of the operations of the release, in a document each."""
    return [piece for raw in RELEASED for piece in slices(raw)][::3]


def random_documents() -> list[dict[str, Any]]:
    """Random documents of one body each; valid requests for them are easy to generate."""
    dice = random.Random(5)  # noqa: S311 - no secret
    documents = [with_body(schema(dice)) for _ in range(60)]
    return [
        document.document
        for document in documents
        if sum(request_of(document, dice) is not None for _ in range(20)) >= 10
    ][:24]


def request_of(document: Document, dice: random.Random) -> Any:
    """A request to the first operation of `document`, or None."""
    return next(exchanges(document)).request(dice)


def mutations(bases: list[dict[str, Any]], rounds: int) -> Iterator[Pair]:
    """Each document with mutated copies, in both directions, if the change needs no major version."""
    dice = random.Random(5)  # noqa: S311 - no secret
    for index, base in enumerate(bases):
        for turn in range(rounds):
            other = mutated(base, dice)
            for name, old, new in (("to", base, other), ("from", other, base)):
                pair = f"{index} {name} its {turn}. copy", Document("", old), Document("", new)
                if old != new and overall(compare(*pair[1:])) < Severity.MAJOR:
                    yield pair


def labelled() -> Iterator[Pair]:
    """The pairs with a label by hand.

    Not those of discriminators, of whose values openapi-schema-validator makes demands, nor those of sunsets: after one
    a removal is minor although it breaks the clients that remain.
    """
    for pair in PAIRS:
        is_judged = pair.name not in NOT_JUDGED and "discriminator" not in pair.name and pair.table != "sunsets"
        if is_judged and overall(pair.changes()) < Severity.MAJOR:
            yield pair.name, pair.old, pair.new


def matched(old: Document, new: Document) -> Iterator[tuple[Exchanges, Exchanges]]:
    """The operations of `old`, each with the operation of `new` that serves its requests."""
    serving = {key: operation for operation in exchanges(new) for key in operation.keys}
    for operation in exchanges(old):
        matches = [serving[key] for key in sorted(operation.keys) if key in serving]
        assert matches, operation.keys
        yield operation, matches[0]


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(dice=st.randoms(use_true_random=False))
def find(has_broken: Callable[[random.Random], Any], dice: random.Random) -> None:
    """Look for a broken exchange, which `has_broken` returns."""
    broken = has_broken(dice)
    assert broken is None, broken


def requests_of(pair: Pair) -> int:
    """Assert that the new document accepts the requests that the old one accepts; return the number of those tried."""
    counts = Counter[str]()
    for old, new in matched(*pair[1:]):

        def broken(dice: random.Random, old: Exchanges = old, new: Exchanges = new) -> Any:
            request = old.request(dice)
            counts["requests"] += request is not None
            return None if request is None or new.accepts(request) else (pair[0], request)

        find(broken)
    return counts["requests"]


def answers_of(pair: Pair) -> int:
    """Assert that the old document allows the answers of the new one, except new errors; return the number tried."""
    counts = Counter[str]()
    for old, new in matched(*pair[1:]):

        def broken(dice: random.Random, old: Exchanges = old, new: Exchanges = new) -> Any:
            answer = new.answer(dice)
            counts["answers"] += answer is not None
            return None if answer is None or old.promises(answer) else (pair[0], answer)

        find(broken)
    return counts["answers"]


@pytest.mark.parametrize(
    ("pairs", "minimum"),
    [
        pytest.param(lambda: mutations(request_documents(), ROUNDS), 200, id="requests of the release"),
        pytest.param(lambda: mutations(random_documents(), ROUNDS), 250, id="invented bodies"),
        pytest.param(labelled, 250, id="labelled pairs"),
    ],
)
def test_the_new_document_accepts_every_old_request(pairs: Callable[[], Iterator[Pair]], minimum: int) -> None:
    """For each pair that needs no major version; nearly all of them have valid requests."""
    counts = [requests_of(pair) for pair in pairs()]
    assert len(counts) >= minimum
    assert sum(count > 0 for count in counts) >= 0.9 * len(counts)
    assert sum(counts) >= 5 * len(counts)


def test_the_old_document_allows_every_new_answer() -> None:
    """For each pair that needs no major version."""
    counts = [answers_of(pair) for pair in (*mutations(answer_documents(), ROUNDS), *labelled())]
    assert len(counts) >= 300
    assert sum(counts) >= 3 * len(counts)
