"""The output of commands: tables for operators, JSON for programs."""

import json
from datetime import UTC, datetime
from decimal import Decimal
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
    "previous_key_until": None,
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(HUB, AS_JSON, id="a dataclass"),
        pytest.param([HUB, HUB], [AS_JSON, AS_JSON], id="several"),
        pytest.param({"difference": ["one", "two"]}, {"difference": ["one", "two"]}, id="a dict"),
        pytest.param([], [], id="nothing"),
        pytest.param({"n": [Decimal("0.10000000000000001")]}, {"n": ["0.10000000000000001"]}, id="each digit"),
    ],
)
def test_json_has_every_value(capsys: pytest.CaptureFixture[str], value: Any, expected: Any) -> None:
    """Names and values are unchanged; ids and instants are text, and an absent value is null."""
    show(value, as_json=True)
    assert json.loads(capsys.readouterr().out) == expected


def test_a_table_has_each_digit(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a number that a double does not hold."""
    show({"n": Decimal("0.10000000000000001")}, as_json=False)
    assert capsys.readouterr().out.split() == ["n", "0.10000000000000001"]


def test_a_list_is_a_table_with_a_header(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line has the names, and each item has its own line; an absent value is blank."""
    show([HUB, Hub(UUID(int=2), "beta", MOMENT, None, None, None)], as_json=False)
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == list(AS_JSON)
    assert first.split() == " ".join(str(value) for value in AS_JSON.values() if value).split()
    assert second.split() == [str(UUID(int=2)), "beta", AS_JSON["created_at"]]
    assert first[header.index("disabled_at") :].strip() == AS_JSON["disabled_at"]


@pytest.mark.parametrize("value", [HUB, AS_JSON], ids=["a dataclass", "a dict"])
def test_a_single_item_has_a_line_for_each_value(capsys: pytest.CaptureFixture[str], value: Any) -> None:
    """Each line has a name and its value; there is no header."""
    show(value, as_json=False)
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [[part.strip() for part in line] for line in lines] == [
        [name, value] if value else [name] for name, value in AS_JSON.items()
    ]


def test_an_empty_list_is_printed_as_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The operator sees words instead of nothing."""
    show([], as_json=False)
    assert capsys.readouterr().out == "There are none.\n"


def test_a_value_is_printed_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets are not markup, and 200 characters stay on one line, so that a program can find them."""
    value = "[bold]" + "x" * 194
    show({"name": value}, as_json=False)
    assert capsys.readouterr().out.split() == ["name", value]


def test_control_characters_of_a_hub_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """A character that would clear a screen, begin a line or reverse a text is shown by its number."""
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


def test_a_note_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not part of the result on standard output."""
    note("keep it")
    assert capsys.readouterr() == ("", "keep it\n")
