"""Overlays are read, their actions applied, and faults named with their lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from openapi.contract import DOCUMENTS, Contract, ContractError
from openapi.overlays.draft import draft
from openapi.overlays.overlay import MOST_ACTIONS, Overlay

BASE = Contract.of_file(DOCUMENTS / "interaction-reporting-1.1.yaml")
HEAD = {"overlay": "1.0.0", "info": {"title": "A", "version": "1.0.0"}}
OF_TAG = "$.tags[?@.name == 'Annotations']"


def overlay(*actions: dict[str, Any], **members: Any) -> Overlay:
    """The overlay with `actions`."""
    return Overlay.read("change.json", json.dumps(HEAD | {"actions": actions} | members).encode())


def after(*actions: dict[str, Any]) -> dict[str, Any]:
    """The document that `actions` make of 1.1."""
    return draft(BASE, "1.2", [overlay(*actions)]).document


def test_objects_are_merged_arrays_joined_and_entries_appended() -> None:
    """An update of an object is recursive; an action sees the result of those before it."""
    document = after(
        {"target": "$.info", "update": {"contact": {"x-team": "events"}, "x-list": [1]}},
        {"target": "$.info", "update": {"x-list": [2], "title": "Another"}},
        {"target": "$.info['x-list', 'x-list']", "update": [3]},
    )
    assert document["info"]["x-list"] == [1, 2, [3]]
    assert document["info"]["title"] == "Another"
    assert document["info"]["version"] == "1.2"
    assert document["info"].get("contact", {}) == BASE.document["info"].get("contact", {}) | {"x-team": "events"}


def test_what_a_target_selects_is_removed() -> None:
    """Several items of one array, and a single value; an optional action may select nothing."""
    document = after(
        {"target": "$.tags[0, 2]", "remove": True},
        {"target": "$.info.license", "remove": True},
        {"target": "$.nothing", "remove": True, "x-optional": True},
    )
    assert document["tags"] == [BASE.document["tags"][1], BASE.document["tags"][3]]
    assert "license" not in document["info"]


def test_several_overlays_are_applied_in_their_order() -> None:
    """The last one wins."""
    overlays = [overlay({"target": "$.info", "update": {"title": title}}) for title in ("One", "Two")]
    assert draft(BASE, "1.2", overlays).document["info"]["title"] == "Two"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"target": "$.paths['/event']", "remove": True}, "selects nothing; if that may be"),
        ({"target": "$.info.title", "update": {"a": 1}}, "/info/title is a text: let the target select the object"),
        ({"target": "$.info", "update": "a"}, "/info is an object, and the update is a text"),
        ({"target": "$.info", "update": {"license": "MIT"}}, "/info/license is an object, and its update a text"),
        ({"target": "$", "remove": True}, "the whole document cannot be removed"),
        ({"target": "info", "remove": True}, "not JSONPath as RFC 9535 defines it"),
        ({"target": "$..*", "update": {"a": "a" * 100_000}}, "is a text|add more than 4194304 bytes"),
    ],
)
def test_an_action_that_cannot_be_applied_is_named(action: dict[str, Any], words: str) -> None:
    """The file, the line, the index and the target of the action."""
    with pytest.raises(ContractError, match=rf"^change\.json:1:\d+: action 1 \(.*\): .*({words})"):
        after({"target": "$.info", "update": {"x-a": 1}}, action)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"overlay": "1.1.0"}, "overlay is '1.1.0', and only 1.0.0 and 1.0.1"),
        ({"overlay": 1.0}, "overlay is '1.0'"),
        ({"info": {"title": "A"}}, "info must be"),
        ({"extends": 1}, "extends must be a text"),
        ({"action": []}, "unknown member 'action'"),
        ({"actions": []}, "actions must be a list of 1 to"),
        ({"actions": [{"target": "$"}] * (MOST_ACTIONS + 1)}, "actions must be a list of 1 to"),
        ({"actions": [{"target": "$"}]}, "action 0: it must have either update, or remove: true"),
        ({"actions": [{"target": "$", "update": {}, "remove": True}]}, "action 0: it must have either"),
        ({"actions": [{"target": "$", "updates": {}}]}, "action 0: unknown member 'updates'"),
        ({"actions": [{"target": "$", "remove": "yes"}]}, "action 0: remove and x-optional must be"),
        ({"actions": ["$"]}, "action 0: it must be an object"),
    ],
)
def test_what_is_not_an_overlay_is_refused(members: dict[str, Any], words: str) -> None:
    """With the file and the line of the fault."""
    with pytest.raises(ContractError, match=rf"^change\.json:1:\d+: {words}"):
        overlay(**{"actions": [{"target": "$", "update": {}}], **members})


def test_the_line_of_an_action_is_that_of_the_text() -> None:
    """In YAML, which people write."""
    text = "overlay: 1.0.1\ninfo: {title: A, version: 1.0.0}\nactions:\n  - target: $.a\n    remove: true\n"
    with pytest.raises(ContractError, match=r"^a\.yaml:4:\d+: action 0 "):
        draft(BASE, "1.2", [Overlay.read("a.yaml", text.encode())])


@pytest.mark.parametrize(
    ("extends", "is_refused"),
    [
        ("https://host/contracts/1.1", False),
        ("../openapi/interaction-reporting-1.1.yaml", False),
        ("openapi.yaml", False),
        ("https://host/contracts/1.0", True),
        ("interaction-reporting-2.0.yaml", True),
    ],
)
def test_an_overlay_of_another_version_is_refused(extends: str, is_refused: bool) -> None:
    """The last segment of `extends` tells; without a version there, any base will do."""
    read = overlay({"target": "$.info", "update": {"x-a": 1}}, extends=extends)
    if is_refused:
        with pytest.raises(ContractError, match=r"^change\.json:1:\d+: the overlay extends .* and the base is 1\.1"):
            draft(BASE, "1.2", [read])
    else:
        assert draft(BASE, "1.2", [read]).version == "1.2"


def test_a_draft_is_a_contract() -> None:
    """A reference that leads nowhere is named."""
    with pytest.raises(ContractError, match=r"what results is not a contract: .*leads nowhere"):
        after({"target": "$.components.schemas.InteractionEvent", "remove": True})


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    """The rest of a large one is not."""
    file = tmp_path / "large.yaml"
    file.write_text("a" * 2_000_000)
    with pytest.raises(ContractError, match=r"large\.yaml: the overlay is larger than 1048576 bytes"):
        Overlay.of_file(file)
