"""The changes between two documents, judged, and as JSON; the other modules of this folder render it for people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openapi.contract import Document
from openapi.diff.comparison.changes import Change, Witness
from openapi.diff.comparison.compare import compare
from openapi.diff.findings import Finding, overall
from openapi.diff.reports import incomplete
from openapi.diff.reports.groups import counted
from openapi.diff.reports.places import Place, Places
from openapi.diff.rules import Severity
from openapi.diff.sentences import sentence
from openapi.diff.terms import NOTHING, Judged, Terms

NO_CHANGE = "No request and no response changed."


@dataclass(frozen=True)
class Report:
    """The findings from one document to another, in order; each document has a name."""

    old: str
    new: str
    findings: Sequence[Finding]
    located: Places | None = field(default=None, repr=False, compare=False)
    judged: Judged = NOTHING
    """What there is to say beside the findings."""

    @classmethod
    def of(
        cls,
        old: Document,
        new: Document,
        names: tuple[str, str],
        places: Places | None = None,
        terms: Terms = Terms(),  # noqa: B008 (it is immutable)
    ) -> "Report":
        """The report from `old` to `new`, read on `terms`.

        Raises ContractError if one of them cannot be compared, SelectionError for a filter that fits nothing, and
        VersionError if a version is required and cannot be read.
        """
        judged = terms.judged(compare(old, new), old, new)
        return cls(*names, judged.findings, places or Places(old, new), judged)

    @cached_property
    def changes(self) -> list[Change]:
        """The changes of the findings."""
        return [finding.change for finding in self.findings]

    def places(self, change: Change) -> tuple[Place, Place]:
        """The places of one of the changes, in the old document and in the new one."""
        return self._places.get(id(change), (Place(), Place()))

    def lines(self, change: Change) -> list[str]:
        """The lines of one of the changes, in the documents that have what changed; the pointer if none is known."""
        places = self.places(change)
        if "-added" in change.rule or "-removed" in change.rule:
            places = (places[change.is_in_new],) * 2
        known = list(dict.fromkeys(place.words for place in places if place.position))
        return known or [(change.pointer or "/") + ("" if change.is_in_new else " of the old document")]

    @cached_property
    def _places(self) -> dict[int, tuple[Place, Place]]:
        places = self.located.of(self.changes) if self.located else ()
        return {id(change): pair for change, pair in zip(self.changes, places, strict=True)}

    @property
    def severity(self) -> Severity:
        """The highest severity of the findings that are not acknowledged."""
        return overall(self.findings)

    @property
    def is_break(self) -> bool:
        """True if a client of the old document can fail, by a change that is not acknowledged."""
        return any(finding.fails for finding in self.findings)

    @property
    def title(self) -> str:
        """The documents and the verdict in words."""
        verdict = "breaking" if self.is_break else "not breaking"
        return f"{self.old} to {self.new}: {self.severity.name.lower()}, {verdict}"

    @property
    def summary(self) -> str:
        """The numbers of findings in words."""
        return counted(self.findings)

    @property
    def notes(self) -> list[str]:
        """Sentences about the comparison as a whole, for people."""
        return [*([self.incomplete] if self.incomplete else []), *self.judged.notes]

    @property
    def texts(self) -> list[Finding]:
        """The findings that only readers of the document see."""
        return [finding for finding in self.findings if finding.is_text]

    def texts_not_listed(self, with_texts: bool) -> str:
        """The sentence that counts the changed texts; empty if there are none, or if they are listed."""
        count = 0 if with_texts else len(self.texts)
        words = "1 changed text" if count == 1 else f"{count} changed texts"
        return f"{words}, which only readers of the document see: not listed." if count else ""

    def shown(self, with_texts: bool) -> list[Finding]:
        """The findings that a person reads: without those of texts, unless `with_texts`."""
        return [finding for finding in self.findings if with_texts or not finding.is_text]

    @cached_property
    def incomplete(self) -> str:
        """Where limits cut the comparison, in words; empty if it is complete."""
        return incomplete.notice(self.changes)

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """The report as JSON. `class` is `none`, `patch`, `minor` or `major`; each of `changes` has its own.

        `incomplete` is null, or the number of places where a limit cut the comparison, and the first of them.
        """
        return {
            "old": self.old,
            "new": self.new,
            "class": self.severity.name.lower(),
            "breaking": self.is_break,
            "summary": self.summary,
            "incomplete": incomplete.as_json(self.changes),
            **self.judged.as_json,
            "changes": [self._as_json(finding) for finding in self.findings],
        }

    def as_json_text(self) -> str:
        """The text of `as_json`, for a file or an answer; Unicode is not escaped."""
        return json_text(self.as_json)

    def _as_json(self, finding: Finding) -> dict[str, Any]:
        change = finding.change
        places = dict(zip(("old", "new"), map(_place, self.places(change)), strict=True))
        return {
            "rule": change.rule,
            "class": finding.severity.name.lower(),
            "breaking": finding.is_break,
            "certainty": finding.certainty,
            "audience": finding.rule.audience,
            "direction": change.direction,
            "pointer": change.pointer,
            "document": "new" if change.is_in_new else "old",
            "places": places,
            "operations": list(change.operations),
            "sentence": sentence(change) + ".",
            "why": finding.rule.why,
            "changed_by": finding.rule.changed_by or None,
            "acknowledged": finding.acknowledged and finding.acknowledged.as_json,
            "announced": finding.is_announced,
            "sunset": change.deprecation and change.deprecation.sunset,
            "notes": list(finding.notes),
            "old": change.old,
            "new": change.new,
            "fingerprint": finding.fingerprint,
            "proof": change.witness and _proof(change.witness),
        }


def json_text(value: Any, errors: str = "backslashreplace") -> str:
    """`value` as JSON in lines; Unicode is not escaped. `errors` says what is written for a lone surrogate."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
    return text.encode("utf-8", errors).decode()


def promise(change: Change) -> str:
    """The statement that the witness of a change proves."""
    if change.direction == "request":
        return "The old contract accepts this, the new one refuses it:"
    return f"The new contract allows this {_message(change)}, the old one does not:"


def repetition(change: Change) -> str:
    """The statement that the witness of an earlier change proves this one, too."""
    return f"The same {_message(change)} proves it."


def _message(change: Change) -> str:
    """What the witness of a change is."""
    if change.direction == "request":
        return "request"
    return "response" if change.witness is None or change.witness.message.startswith("HTTP/") else "message"


def _place(place: Place) -> dict[str, Any]:
    if place.position is None:
        return {"pointer": place.pointer}
    position = place.position
    return {"pointer": place.pointer, "file": position.file, "line": position.line, "column": position.column}


def _proof(witness: Witness) -> dict[str, Any]:
    return {"value": witness.value, "message": witness.message, "short": witness.short, "curl": witness.curl}
