"""The manifests of a hub, and what each has changed."""

from typing import Any

import pytest

from db import hub_capability_manifests, hubs
from handlers.admin.hubs.manifest_changes import DEEPEST, LONGEST, MOST, Difference, event_types, widgets
from tests.page_admins import AdminBrowser, text_of
from tests.page_forms import form_of

ID = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
FIRST: dict[str, Any] = {
    "event_types": [
        {"name": "kept", "description": "d"},
        {"name": "gone/<b>", "description": "d"},
        {"name": "other", "description": "d", "metadata_schema": {"properties": {"a": {"type": "string"}}}},
    ],
    "widgets": [{"id": ID, "name": "A"}],
}
SECOND: dict[str, Any] = {
    "event_types": [
        {"name": "kept", "description": "d"},
        {"name": "new", "description": "d"},
        {
            "name": "other",
            "description": "d",
            "metadata_schema": {"properties": {"a": {"type": "number"}}},
            "version": 2,
        },
    ],
    "widgets": [{"id": ID, "name": "B"}],
}


def test_entries_are_compared_by_name() -> None:
    """What is added, left out, and defined in another way, at the place where it differs."""
    changes = event_types(FIRST, SECOND)
    assert (changes.added, changes.left_out, changes.others) == (["new"], ["gone/<b>"], 0)
    assert changes.changed == {
        "other": [
            Difference("/metadata_schema/properties/a/type", '"string"', '"number"'),
            Difference("/version", None, "2"),
        ]
    }
    assert widgets(FIRST, SECOND).changed == {ID: [Difference("/name", '"A"', '"B"')]}
    assert event_types(FIRST, FIRST).is_none


def test_true_is_not_1() -> None:
    """JSON knows the difference."""
    before, after = ({"event_types": [{"name": "a", "x": value}]} for value in (True, 1))
    assert event_types(before, after).changed == {"a": [Difference("/x", "true", "1")]}


def test_a_comparison_is_bounded() -> None:
    """In entries, in differences of one, in depth, and in the length of a value."""
    none: dict[str, Any] = {"event_types": []}
    many = {"event_types": [{"name": f"{number:04}"} for number in range(MOST + 5)]}
    assert len(event_types(none, many).added) == MOST
    assert event_types(none, many).others == 5
    wide = {"event_types": [{"name": "a", "x": {str(number): 1 for number in range(MOST + 5)}}]}
    narrow = {"event_types": [{"name": "a", "x": {}}]}
    assert len(event_types(narrow, wide).changed["a"]) == MOST
    deep: list[Any] = [1, 2]
    for _ in range(100):
        deep = [{"d": each} for each in deep]
    before, after = ({"event_types": [{"name": "a", "x": each}]} for each in deep)
    (difference,) = event_types(before, after).changed["a"]
    assert difference.place.count("/") == DEEPEST
    assert len(difference.after or "") == LONGEST + 1


@pytest.fixture(scope="module")
def hub(owner: AdminBrowser) -> str:
    """The name of a hub with three manifests."""
    with owner.service.database.begin() as connection:
        created, _ = hubs.create(connection, "of manifests/ü")
        for number, manifest in enumerate((FIRST, SECOND, SECOND), 1):
            hub_capability_manifests.keep(connection, created.id, number, manifest, "1.1")
    return created.name


def test_the_page_compares_any_two_revisions(owner: AdminBrowser, hub: str) -> None:
    """By default the last two."""
    path = form_of("manifests", hub)
    assert "From revision 2 to 3" in text_of(owner.get(path))
    page = owner.get(f"{path}?from=1&to=2")
    assert page.status_code == 200
    assert "added new left out gone/<b> changed other" in text_of(page)
    assert '/metadata_schema/properties/a/type : "string" "number"' in text_of(page)
    assert f'href="{path}?from=1&amp;to=2"' in page.text
    assert "added gone/<b>" in text_of(owner.get(f"{path}?from=2&to=1"))
    assert "added kept" in text_of(owner.get(f"{path}?to=1"))


@pytest.mark.parametrize(
    ("query", "status"), [("from=1&to=9", 404), ("to=0", 404), ("from=x", 400), ("from=99999999999", 400)]
)
def test_a_revision_that_is_none(owner: AdminBrowser, hub: str, query: str, status: int) -> None:
    """It is on no page."""
    assert owner.get(f"{form_of('manifests', hub)}?{query}").status_code == status
