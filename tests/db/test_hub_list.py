"""The list of hubs for operators."""

import pytest
from sqlalchemy import Connection

from db import hub_list, hub_totals, hubs
from db.clocks import both


def test_pages_are_by_name(connection: Connection) -> None:
    """Each page begins after the last name of the one before, also if that hub is gone."""
    for name in ("b", "a", "d", "c"):
        hubs.create(connection, name)
    first = hub_list.page(connection, None, "", None, 2)
    assert ([hub.name for hub in first.hubs], first.next_after) == (["a", "b"], "b")
    last = hub_list.page(connection, None, "", "b", 2)
    assert ([hub.name for hub in last.hubs], last.next_after) == (["c", "d"], None)
    matching = hub_list.page(connection, "never seen", "", "a", 2)
    assert ([hub.name for hub in matching.hubs], matching.next_after) == (["b", "c"], "c")


def test_a_state_and_a_part_of_the_name_filter(connection: Connection) -> None:
    """Case does not count, also beyond ASCII."""
    for name in ("ÄRGER 1", "ärger 2", "other", "seen"):
        hubs.create(connection, name)
    hubs.disable(connection, "ärger 2")
    hubs.cut_over(connection, "other", None)
    hub_totals.see(connection, [hubs.get(connection, "seen").id], both(connection)[0])

    def names(state: hub_list.State | None, part: str = "") -> list[str]:
        return sorted(hub.name for hub in hub_list.page(connection, state, part, None, 9).hubs)

    assert names(None, "äRGER") == ["ÄRGER 1", "ärger 2"]
    assert names("disabled") == ["ärger 2"]
    assert names("disabled", "1") == []
    assert names("cut over") == ["other"]
    assert names("active") == ["seen", "ÄRGER 1"]
    assert names("never seen") == ["other", "ÄRGER 1", "ärger 2"]


def test_a_search_ends_after_some_names(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says where the next one begins."""
    monkeypatch.setattr(hub_list, "SEARCHED", 2)
    for name in ("a", "b", "c x"):
        hubs.create(connection, name)
    page = hub_list.page(connection, None, "x", None, 9)
    assert (page.hubs, page.next_after) == ([], "b")
    page = hub_list.page(connection, None, "x", "b", 9)
    assert ([hub.name for hub in page.hubs], page.next_after) == (["c x"], None)
