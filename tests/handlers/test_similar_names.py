"""The registered event type that a hub probably meant."""

import pytest

from handlers import similar_names
from handlers.similar_names import SimilarNames
from tests.contract_client import ContractClient
from tests.examples import EVENT

SEED = (
    "viewed",
    "focused",
    "clicked",
    "submitted",
    "abandoned",
    "retried",
    "failed",
    "commented",
    "flagged_confusing",
    "flagged_helpful",
    "blocked_by_policy",
    "escalated",
    "accepted_recommendation",
    "rejected_recommendation",
)
REGISTER = "Register this event type via the Type Registry admin UI or hub capability manifest before submitting."


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("click", "clicked"),
        ("CLICKED", "clicked"),
        ("cliked", "clicked"),
        ("view", "viewed"),
        ("tried", "retried"),
        ("fail", "failed"),
        ("submit", "submitted"),
        ("accepted_recomendation", "accepted_recommendation"),
        ("flagged-confusing", "flagged_confusing"),
        ("flaggedConfusing", "flagged_confusing"),
        ("flagged helpful", "flagged_helpful"),
        ("blocked.by.policy", "blocked_by_policy"),
        ("\u0441licked", "clicked"),
        ("closed", None),
        ("opened", None),
        ("pipeline_started", None),
        ("\u200b", None),
        ("x" * 200, None),
    ],
)
def test_the_most_similar_name_is_the_nearest(name: str, nearest: str | None) -> None:
    """By letters and digits; a name that is like none of them has no nearest."""
    assert SimilarNames(SEED).nearest(name) == nearest


def test_a_name_without_letters_is_like_no_other() -> None:
    """Even if a registered name has none either."""
    assert SimilarNames(("-",)).nearest("_") is None


def test_the_effort_of_a_group_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it only names that differ by case and the like are found; a repeated name is searched once."""
    monkeypatch.setattr(similar_names, "EFFORT", 5000)
    similar = SimilarNames(SEED)
    assert [similar.nearest("click") for _ in range(100)] == ["clicked"] * 100
    assert [similar.nearest(f"view{number}") for number in range(100)][-1] is None
    assert similar.nearest("Viewed") == "viewed"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("click", "Did you mean 'clicked'?"),
        ("clicked\u200b", "Did you mean 'clicked'? The name has the character U+200B."),
        (" clicked", "Did you mean 'clicked'? The name has the character U+0020."),
        ("\u0441licked", "Did you mean 'clicked'? The name has the character U+0441."),
        ("pipeline\u00a0started", "The name has the character U+00A0."),
    ],
)
def test_an_unknown_event_type_gets_a_hint(client: ContractClient, name: str, hint: str) -> None:
    """Before the help that it always gets; the error stays."""
    response = client.post("/api/v1/interaction-events", json=EVENT | {"event_type": name})
    assert response.status_code == 422
    assert response.json() == {"error": f"event_type '{name}' not registered", "help": f"{hint} {REGISTER}"}


def test_a_registered_name_with_a_misleading_character_is_named_with_it() -> None:
    """Otherwise both names would look the same."""
    hint = SimilarNames(("\u0441licked",)).hint("clicked")
    assert hint == "Did you mean '\u0441licked'? The registered name has the character U+0441."


def test_several_names_may_be_meant() -> None:
    """The nearest comes first, and no more are named than were asked for."""
    names = SimilarNames(("flagged_confusing", "flagged_helpful", "flagged_help", "viewed"))
    assert names.several("flagged_helpfull", 3) == ["flagged_helpful", "flagged_help"]
    assert names.several("Flagged-Help", 2) == ["flagged_help", "flagged_helpful"]
    assert names.several("flagged_helpfull", 1) == ["flagged_helpful"]
    assert names.several("", 3) == names.several("\u202e", 3) == []
