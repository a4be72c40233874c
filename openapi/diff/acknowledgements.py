"""Breaks that a reviewer lets pass: a file of their fingerprints, each with a reason and a last day."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from openapi import document_text

MAX_BYTES = 4 * 1024 * 1024
"""Limit on the bytes of a file of acknowledgements."""
MOST = 10_000
"""Limit on the acknowledgements of a file."""
LONGEST = 1000
"""Limit on the characters of a reason, and of a sentence."""
_FINGERPRINT = re.compile("[0-9a-f]{16}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MEMBERS = frozenset({"fingerprint", "reason", "until", "sentence"})


class AcknowledgementError(ValueError):
    """A text is no list of acknowledgements; the message says where, and why."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A change that a reviewer lets pass through the day `until`, or for ever if that is None.

    `sentence` is the change in words, for readers of the file alone.
    """

    fingerprint: str
    reason: str
    until: date | None = None
    sentence: str = ""

    @property
    def words(self) -> str:
        """The acknowledgement in words, such as `Acknowledged until 2027-01-01: clients were asked`."""
        return f"Acknowledged {f'until {self.until}' if self.until else 'for ever'}: {self.reason.rstrip('.')}"

    def is_expired(self, today: date) -> bool:
        """True if its last day is over."""
        return self.until is not None and today > self.until

    @property
    def as_json(self) -> dict[str, str]:
        """The acknowledgement as it stands in a file."""
        members = {"fingerprint": self.fingerprint, "reason": self.reason}
        members |= {"until": self.until.isoformat()} if self.until else {}
        return members | ({"sentence": self.sentence} if self.sentence else {})


def read(text: str) -> dict[str, Acknowledgement]:
    """The acknowledgements of `text`, by fingerprint: a list in YAML or JSON. Raises AcknowledgementError."""
    try:
        rows = document_text.read(text, MAX_BYTES)
    except document_text.TextError as error:
        raise AcknowledgementError(str(error)) from None
    if rows is not None and not isinstance(rows, list):
        raise AcknowledgementError("it must be a list of acknowledgements, each with fingerprint and reason")
    if len(rows or []) > MOST:
        raise AcknowledgementError(f"it has more than {MOST} acknowledgements")
    listed: dict[str, Acknowledgement] = {}
    for number, row in enumerate(rows or [], 1):
        try:
            entry = _entry(row)
        except AcknowledgementError as error:
            raise AcknowledgementError(f"acknowledgement {number}: {error}") from None
        if entry.fingerprint in listed:
            raise AcknowledgementError(f"acknowledgement {number}: {entry.fingerprint} occurs twice")
        listed[entry.fingerprint] = entry
    return listed


def written(text: str, added: Iterable[Acknowledgement]) -> str:
    """`text` with acknowledgements: in order of fingerprints, each in place of an earlier one of the same fingerprint.

    Comments at the beginning stay. Raises AcknowledgementError, also for a file that has comments elsewhere.
    """
    listed = read(text) | {entry.fingerprint: entry for entry in added}
    lines = text.splitlines(keepends=True)
    first = next((index for index, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    if any(line.lstrip().startswith("#") for line in lines[first:]):
        raise AcknowledgementError(
            "it has comments between its acknowledgements, which would be lost: move them to the top"
        )
    head = "".join(lines[:first])
    head += "\n" if head and not head.endswith("\n") else ""
    return head + document_text.write([listed[fingerprint].as_json for fingerprint in sorted(listed)])


def day(text: str) -> date:
    """The day that `text` names as `YYYY-MM-DD`; ValueError if it names none."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text[:LONGEST]!r} is not a date such as 2027-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text}: there is no such day") from None


def _entry(row: Any) -> Acknowledgement:
    """The acknowledgement of `row`; AcknowledgementError if it is none."""
    if not isinstance(row, dict):
        raise AcknowledgementError("it must have the members fingerprint and reason")
    if unknown := sorted(row.keys() - _MEMBERS):
        raise AcknowledgementError(f"the member {unknown[0][:LONGEST]!r} is unknown")
    fingerprint = row.get("fingerprint")
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        raise AcknowledgementError("the fingerprint must have 16 hexadecimal digits, in quotes if all are decimal")
    try:
        until = day(row["until"] if isinstance(row["until"], str) else repr(row["until"])) if "until" in row else None
    except ValueError as error:
        raise AcknowledgementError(f"until: {error}") from None
    return Acknowledgement(
        fingerprint, _text(row, "reason"), until, _text(row, "sentence") if "sentence" in row else ""
    )


def _text(row: Mapping[str, Any], member: str) -> str:
    """The text of `member`; AcknowledgementError if it is empty, too long, or none."""
    text = row.get(member)
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise AcknowledgementError(f"the {member} must be a text of 1 to {LONGEST} characters")
    return text
