"""The version that a document must have in `info.version`, according to the version of the old one.

Versions are MAJOR.MINOR, or MAJOR.MINOR.PATCH of Semantic Versioning 2.0.0 without a pre-release and build metadata.
"""

import re
from dataclasses import dataclass
from typing import Any

from openapi.diff.rules import Severity

_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(?:\.(0|[1-9][0-9]{0,8}))?", re.ASCII)
_LONGEST = 40


class VersionError(ValueError):
    """A version is no MAJOR.MINOR or MAJOR.MINOR.PATCH; the message names it."""


@dataclass(frozen=True, slots=True)
class Needed:
    """The version that a document has, and the least one that its changes need."""

    old: str
    new: str
    least: str
    severity: Severity

    @property
    def is_met(self) -> bool:
        """True if the version is high enough."""
        return _numbers(self.new) >= _numbers(self.least)

    def __str__(self) -> str:
        """The sentence for people."""
        reason = f"the changes from {self.old} are {self.severity.name.lower()}"
        if self.severity is Severity.NONE:
            reason = f"it may not be lower than {self.old}"
        verdict = "which is enough" if self.is_met else f"and must be at least {self.least}"
        return f"info.version is {self.new}, {verdict}: {reason}."


def needed(old: Any, new: Any, severity: Severity) -> Needed:
    """What the change of `severity` from version `old` to `new` needs. Raises VersionError if one cannot be read."""
    for side, version in (("old", old), ("new", new)):
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            written = "missing" if version is None else f"{str(version)[:_LONGEST]!r}"
            raise VersionError(
                f"info.version of the {side} document is {written}: it must be a text such as 1.4 or 1.4.2"
            )
    return Needed(old, new, _least(old, severity), severity)


def _least(version: str, severity: Severity) -> str:
    """`version`, raised by a change of `severity`. A major version 0 promises less: a break raises the minor number.

    A version of two numbers has none for patches, which leave it as it is.
    """
    major, minor, patch = _numbers(version)
    if severity is Severity.MAJOR and major:
        numbers = [major + 1, 0, 0]
    elif severity >= Severity.MINOR:
        numbers = [major, minor + 1, 0]
    else:
        numbers = [major, minor, patch + (severity is Severity.PATCH)]
    return ".".join(map(str, numbers[: version.count(".") + 1]))


def _numbers(version: str) -> tuple[int, int, int]:
    """The numbers of `version`; the third is 0 if it is left out."""
    major, minor, patch = (*version.split("."), "0")[:3]
    return int(major), int(minor), int(patch)
