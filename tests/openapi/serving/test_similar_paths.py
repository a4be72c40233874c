"""The served path that a client probably meant by another one."""

import pytest

from openapi.contract import published
from openapi.serving.similar_paths import LONGEST, SimilarPaths, sibling

SIMILAR = SimilarPaths(
    [*(path for contract in published() for path in contract.paths), "/contracts", "/health/live", "/health/ready"]
)
EVENTS, BATCH = "/api/v1/interaction-events", "/api/v1/interaction-events/batch"
ID = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
INTENDED = {
    f"/{EVENTS}": EVENTS,
    f"{EVENTS}/": EVENTS,
    f"{EVENTS} ": EVENTS,
    f"{EVENTS}\u200b": EVENTS,
    EVENTS.upper(): EVENTS,
    "/api/v1/interaction_events": EVENTS,
    "/api/v1/interactionEvents": EVENTS,
    "/api/v1/interaction-event": EVENTS,
    "/api/v1/interacton-events": EVENTS,
    "/api/v1.1/interaction-events": EVENTS,
    "/api/1/interaction-events": EVENTS,
    "/v1/interaction-events": EVENTS,
    "/api/v1//interaction-events//batch/": BATCH,
    f"/api/v1/interaction_events/{ID}": f"{EVENTS}/{{id}}",
    f"{EVENTS}/{ID}/": f"{EVENTS}/{{id}}",
    "/interaction-events": f"{EVENTS} or /api/v2/interaction-events",
    "/api/interaction-events": f"{EVENTS} or /api/v2/interaction-events",
    "/api/interaction_events/batch": f"{BATCH} or /api/v2/interaction-events/batch",
    "/api/v3/interaction-events": "/api/v2/interaction-events",
    "/v1/usage": "/api/v1/usage",
    "/usage": "/api/v1/usage or /api/v2/usage",
    "/api/v1/events": EVENTS,
    "/api/v2/Events": "/api/v2/interaction-events",
    "/events": f"{EVENTS} or /api/v2/interaction-events",
    "/health": "/health/live or /health/ready",
    "/ready": "/health/ready",
    "/contract": "/contracts",
    "/api/v1/batch": f"{BATCH} or /api/v1/annotations/batch",
}


@pytest.mark.parametrize("path", INTENDED)
def test_the_most_similar_path_is_named(path: str) -> None:
    """By letters and digits, else by its words; without a version, that of each version."""
    assert SIMILAR.hint(path) == f"Did you mean {INTENDED[path]}?"


@pytest.mark.parametrize(
    "path",
    ["/", "", "/api", "/api/v1", "/v1", "/api/v3/events", "/docs", "/a/b/c", "/<script>", f"/{ID}"],
)
def test_a_path_that_is_like_no_other_has_no_hint(path: str) -> None:
    """The help of a 404 refers to the contracts, as always."""
    assert SIMILAR.hint(path) == ""


def test_a_path_that_is_served_is_not_meant_by_itself() -> None:
    """It has been refused for another reason."""
    assert SIMILAR.hint("/contracts") == ""


def test_a_long_path_is_like_no_other() -> None:
    """Neither with many characters nor with few that stand for many; the comparison is bounded."""
    assert SIMILAR.hint(EVENTS + "/" * (LONGEST - len(EVENTS))) == f"Did you mean {EVENTS}?"
    assert SIMILAR.hint(EVENTS + "/" * (LONGEST - len(EVENTS) + 1)) == ""
    assert SimilarPaths(["f" * 201]).hint("\ufb00" * 101) == ""
    assert SimilarPaths(["/"]).hint("/" * 201) == ""


def test_without_paths_there_is_no_hint() -> None:
    """As before any contract is served."""
    assert SimilarPaths().hint(EVENTS) == ""


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("batches", BATCH),
        ("Batch", BATCH),
        ("exports", f"{EVENTS}/export"),
        ("bulk", None),
        (ID, None),
        ("x" * 5000, None),
    ],
)
def test_a_sibling_is_like_the_last_segment(segment: str, expected: str | None) -> None:
    """Where a path template matches; an id is like none."""
    question = sibling(f"{EVENTS}/{segment}", [BATCH, f"{EVENTS}/export"])
    assert question == (f"Did you mean {expected}?" if expected else "")
