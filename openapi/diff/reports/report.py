"""The changes between two documents as text, Markdown, HTML and JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from openapi.contract import Document
from openapi.diff.comparison.changes import Change, Witness
from openapi.diff.comparison.compare import compare
from openapi.diff.findings import certainty, fingerprint
from openapi.diff.rules import Severity, judge, overall
from openapi.diff.sentences import sentence
from openapi.rendering import markdown
from openapi.rendering.html import Layout
from openapi.rendering.terminal import printable

LONGEST_COMMAND = 300
"""Limit on the characters of a command that a text or a page shows."""
MOST_TEXTS = 5
"""Limit on the changed texts that a text or Markdown lists; more are counted."""
_HEADINGS = {Severity.MAJOR: "Major", Severity.MINOR: "Minor", Severity.PATCH: "Patch"}
_NO_CHANGE = "No request and no response changed."


@dataclass(frozen=True)
class Report:
    """The changes from one document to another; each document has a name."""

    old: str
    new: str
    changes: Sequence[Change]

    @classmethod
    def of(cls, old: Document, new: Document, names: tuple[str, str]) -> "Report":
        """The report from `old` to `new`; ContractError if one of them cannot be compared."""
        changes = sorted(
            compare(old, new), key=lambda change: (-judge(change).severity, not change.is_break, change.rule)
        )
        return cls(*names, changes)

    @property
    def severity(self) -> Severity:
        """The highest severity of the changes."""
        return overall(self.changes)

    @property
    def is_break(self) -> bool:
        """True if a client of the old document can fail."""
        return any(change.is_break for change in self.changes)

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """The report as JSON. `class` is `none`, `patch`, `minor` or `major`; each of `changes` has its own."""
        return {
            "old": self.old,
            "new": self.new,
            "class": _name(self.severity),
            "breaking": self.is_break,
            "changes": [_as_json(change) for change in self.changes],
        }

    def as_json_text(self) -> str:
        """The text of `as_json`, for a file or an answer; Unicode is not escaped."""
        return json.dumps(self.as_json, indent=2, ensure_ascii=False, default=str) + "\n"

    def as_text(self) -> str:
        """The report for a terminal."""
        return "\n".join(self._lines()) + "\n"

    def as_markdown(self) -> str:
        """The report for a pull request, or a changelog."""
        return "\n\n".join([f"# {markdown.line(self._title())}", *markdown_sections(self.changes)]) + "\n"

    def as_html(self) -> str:
        """The report as a page, which loads nothing and runs nothing."""
        rows = Markup("").join(map(_row, self.changes)) or Markup("<tr><td colspan=4>{}</td></tr>").format(_NO_CHANGE)
        return LAYOUT.page(self._title(), _TABLE.format(rows))

    def _title(self) -> str:
        return f"{self.old} to {self.new}: {_name(self.severity)}, {'breaking' if self.is_break else 'not breaking'}"

    def _lines(self) -> Iterator[str]:
        yield printable(self._title())
        shown, texts = folded(self.changes)
        for change in shown:
            rule = judge(change)
            yield ""
            yield printable(f"{_name(rule.severity):5}  {sentence(change)}.")
            yield printable(f"       {rule.why} [{change.rule}, {certainty(change)}]")
            yield printable(f"       {_place(change)}")
            if change.witness:
                yield f"       {_promise(change)}"
                lines = [*change.witness.short.splitlines(), _command(change.witness)]
                yield from (printable(f"         {line}") for line in lines if line is not None)
        if texts:
            yield ""
            yield f"patch  {texts} texts changed, which only readers of the document see."
        if not self.changes:
            yield _NO_CHANGE


def markdown_sections(changes: Sequence[Change]) -> Iterator[str]:
    """Paragraphs of Markdown: the changes, the highest severity first, and the number of many changed texts."""
    changes, texts = folded(changes)
    for severity, heading in _HEADINGS.items():
        judged = [change for change in changes if judge(change).severity is severity]
        if judged:
            yield f"## {heading}"
            yield "\n".join(map(bullet, judged))
        for change in judged:
            if change.witness:
                yield markdown.line(f"{sentence(change)}. {_promise(change)}")
                yield markdown.block(change.witness.short)
    if texts:
        yield f"{texts} texts changed, which only readers of the document see."
    elif not changes:
        yield _NO_CHANGE


def folded(changes: Sequence[Change]) -> tuple[Sequence[Change], int]:
    """`changes` without those of texts, and their number; all and 0 if there are at most MOST_TEXTS."""
    rest = [change for change in changes if judge(change).audience != "text"]
    texts = len(changes) - len(rest)
    return (rest, texts) if texts > MOST_TEXTS else (changes, 0)


def bullet(change: Change) -> str:
    """A change as a list item in Markdown."""
    breaks = " (breaking)" if change.is_break else ""
    return f"- {markdown.line(sentence(change))}{breaks}: {markdown.line(judge(change).why)}"


def _as_json(change: Change) -> dict[str, Any]:
    rule = judge(change)
    return {
        "rule": change.rule,
        "class": _name(rule.severity),
        "breaking": change.is_break,
        "certainty": certainty(change),
        "audience": rule.audience,
        "direction": change.direction,
        "pointer": change.pointer,
        "document": "new" if change.is_in_new else "old",
        "operations": list(change.operations),
        "sentence": sentence(change) + ".",
        "why": rule.why,
        "old": change.old,
        "new": change.new,
        "fingerprint": fingerprint(change),
        "proof": change.witness and _proof(change.witness),
    }


def _proof(witness: Witness) -> dict[str, Any]:
    return {"value": witness.value, "message": witness.message, "short": witness.short, "curl": witness.curl}


def _command(witness: Witness) -> str | None:
    """The command for curl, if it is short enough for people."""
    return witness.curl if witness.curl and len(witness.curl) <= LONGEST_COMMAND else None


def _row(change: Change) -> Markup:
    rule = judge(change)
    proof = Markup("")
    if change.witness:
        proof = Markup("<p>{}</p><pre>{}</pre>").format(_promise(change), change.witness.short)
        if command := _command(change.witness):
            proof += Markup("<pre>{}</pre>").format(command)
    return _ROW.format(
        _name(rule.severity) + (", breaking" if change.is_break else ""),
        sentence(change),
        rule.why,
        proof,
        change.pointer,
        Markup("<br>").join(change.operations),
    )


_ROW = Markup("<tr><td>{}</td><td>{}.<br>{}{}</td><td><code>{}</code></td><td>{}</td></tr>")
_TABLE = Markup("<table><tr><th>Class<th>Change<th>Place<th>Operations</tr>{}</table>")
LAYOUT = Layout(Markup("td,th{padding:.4em}pre{background:#f4f4f4;padding:.6em;white-space:pre-wrap}"))


def _name(severity: Severity) -> str:
    return severity.name.lower()


def _promise(change: Change) -> str:
    """The statement that the witness of a change proves."""
    if change.direction == "request":
        return "The old contract accepts this, the new one refuses it:"
    is_response = change.witness is None or change.witness.message.startswith("HTTP/")
    return f"The new contract allows this {'response' if is_response else 'message'}, the old one does not:"


def _place(change: Change) -> str:
    """The place of a change, and the operations that it concerns."""
    where = (change.pointer or "/") + ("" if change.is_in_new else " of the old document")
    more = f" and {len(change.operations) - 1} more" if len(change.operations) > 1 else ""
    return f"{where}, {change.operations[0]}{more}" if change.operations else where
