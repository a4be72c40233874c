"""What commands print: tables for people, JSON for programs."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from db.hubs import Hub
from scripts.commands.output import counted, note, show, with_short_digests

MOMENT = datetime(2026, 3, 31, 12, tzinfo=UTC)
HUB = Hub(UUID(int=1), "alpha", MOMENT, None, MOMENT, None)
AS_JSON = {
    "id": "00000000-0000-0000-0000-000000000001",
    "name": "alpha",
    "created_at": "2026-03-31T12:00:00Z",
    "rotated_at": None,
    "disabled_at": "2026-03-31T12:00:00Z",
    "rate_limit": None,
    "cut_over_at": None,
    "cut_over_why": None,
}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(HUB, AS_JSON, id="a dataclass"),
        pytest.param([HUB, HUB], [AS_JSON, AS_JSON], id="several"),
        pytest.param({"difference": ["one", "two"]}, {"difference": ["one", "two"]}, id="a dict"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_json_says_what_was_found(capsys: pytest.CaptureFixture[str], found: Any, expected: Any) -> None:
    """Names and values are as they were found; ids and moments are text, and what is not there is null."""
    show(found, as_json=True)
    assert json.loads(capsys.readouterr().out) == expected


def test_a_list_is_a_table_with_a_head(capsys: pytest.CaptureFixture[str]) -> None:
    """Names stand in the first line, each item in one of its own; what is not there is left blank."""
    show([HUB, Hub(UUID(int=2), "beta", MOMENT, None, None, None)], as_json=False)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == list(AS_JSON)
    assert first.split() == " ".join(str(value) for value in AS_JSON.values() if value).split()
    assert second.split() == [str(UUID(int=2)), "beta", AS_JSON["created_at"]]
    assert first[head.index("disabled_at") :].strip() == AS_JSON["disabled_at"]


@pytest.mark.parametrize("found", [HUB, AS_JSON], ids=["a dataclass", "a dict"])
def test_a_single_thing_is_a_line_for_each_value(capsys: pytest.CaptureFixture[str], found: Any) -> None:
    """Each line has a name and its value, and there is no head."""
    show(found, as_json=False)
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [[part.strip() for part in line] for line in lines] == [
        [name, value] if value else [name] for name, value in AS_JSON.items()
    ]


def test_an_empty_list_is_said_to_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees a word instead of nothing."""
    show([], as_json=False)
    assert capsys.readouterr().out == "There are none.\n"


def test_a_value_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets are no markup, and 200 characters stay in one line, in which a program can find them."""
    value = "[bold]" + "x" * 194
    show({"name": value}, as_json=False)
    assert capsys.readouterr().out.split() == ["name", value]


def test_a_terminal_obeys_nothing_that_a_hub_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    """What would clear a screen, begin a line or turn a text around is shown by its number."""
    show({"name": "a\x1b[2J\x9b\n\u202eé\\", "all": ["b\r", "c"]}, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["name", "a\\x1b[2J\\x9b\\n\\u202eé\\"],
        ["all", "b\\r"],
        ["c"],
    ]


def test_a_table_has_short_digests() -> None:
    """Only a value of 64 hexadecimal digits is cut, to 12 digits."""
    row = {"digest_before": None, "digest_after": "0123456789abcdef" * 4, "digest": "not a contract", "count": 1}
    assert with_short_digests(row) == row | {"digest_after": "0123456789ab"}


def test_a_noun_has_the_number_of_its_count() -> None:
    """The singular belongs to 1 alone."""
    assert [counted(count, "rule", "rules") for count in (0, 1, 2)] == ["0 rules", "1 rule", "2 rules"]


def test_a_note_is_not_part_of_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error."""
    note("keep it")
    assert capsys.readouterr() == ("", "keep it\n")
