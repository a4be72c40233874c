"""The list of widgets for operators."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, update

from db import hubs, tables, widget_list, widgets


def register(connection: Connection, *names: str) -> list[UUID]:
    """Register widgets with the ids 1, 2, and so on."""
    return [widgets.register(connection, name, UUID(int=number)).id for number, name in enumerate(names, 1)]


def ids(page: widget_list.Page) -> list[int]:
    """The ids of the widgets of a page."""
    return [widget.id.int for widget in page.widgets]


def test_pages_are_by_id(connection: Connection) -> None:
    """Each page begins after the last id of the one before; the last one leads nowhere."""
    register(connection, "d", "c", "b", "a")
    first = widget_list.page(connection, None, "", None, 2)
    assert (ids(first), first.next_after) == ([1, 2], UUID(int=2))
    last = widget_list.page(connection, None, "", UUID(int=2), 2)
    assert (ids(last), last.next_after) == ([3, 4], None)
    matching = widget_list.page(connection, "active", "", UUID(int=1), 2)
    assert (ids(matching), matching.next_after) == ([2, 3], UUID(int=3))


def test_a_status_and_a_part_of_the_name_filter(connection: Connection) -> None:
    """Case does not count, also beyond ASCII."""
    register(connection, "ÄRGER 1", "ärger 2", "other")
    widgets.retire(connection, UUID(int=2))
    assert ids(widget_list.page(connection, None, "äRGER", None, 9)) == [1, 2]
    assert ids(widget_list.page(connection, "retired", "", None, 9)) == [2]
    assert ids(widget_list.page(connection, "active", "ärger", None, 9)) == [1]
    assert ids(widget_list.page(connection, "retired", "other", None, 9)) == []


def test_a_search_ends_after_some_widgets(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says where the next one begins."""
    monkeypatch.setattr(widget_list, "SEARCHED", 2)
    register(connection, "a", "b", "c x")
    page = widget_list.page(connection, None, "x", None, 9)
    assert (page.widgets, page.next_after) == ([], UUID(int=2))
    page = widget_list.page(connection, None, "x", UUID(int=2), 9)
    assert (ids(page), page.next_after) == ([3], None)


def test_a_widget_says_who_registered_it_and_whether_it_may_be_retired(connection: Connection) -> None:
    """One that its hub has left out is retired, but not for good."""
    first, second = register(connection, "of an operator", "of a hub")
    hub, _ = hubs.create(connection, "a hub")
    left_out = update(tables.widgets).where(tables.widgets.c.id == second)
    connection.execute(left_out.values(hub_id=hub.id, status="retired", left_out=True))
    of_operator, of_hub = (widget_list.find(connection, each) for each in (first, second))
    assert of_operator
    assert of_hub
    assert (of_operator.hub, of_operator.may_be_retired) == (None, True)
    assert (of_hub.hub, of_hub.status, of_hub.may_be_retired) == ("a hub", "retired", True)
    widgets.retire(connection, second)
    retired = widget_list.find(connection, second)
    assert retired
    assert not retired.may_be_retired
    assert widget_list.find(connection, UUID(int=9)) is None


def test_whether_one_is_active(connection: Connection) -> None:
    """A retired one does not count."""
    assert not widget_list.has_active(connection)
    (widget_id,) = register(connection, "one")
    assert widget_list.has_active(connection)
    widgets.retire(connection, widget_id)
    assert not widget_list.has_active(connection)
