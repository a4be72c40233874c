"""What a reference to another file means: the file and the value, or why it is not followed (RFC 3986)."""

import posixpath
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from openapi.contract import ContractError
from openapi.document_text import Parts
from openapi.sources.files import Budget, Files, TooLarge
from openapi.sources.text import SourceText
from openapi.standards.json_pointer import member, parts_of

BUNDLE = "bundle it into one file, for instance with `npx @redocly/cli bundle`"


@dataclass(frozen=True, slots=True)
class Target:
    """A value in a file, which is named relative to the directory of the first file."""

    file: str
    parts: Parts


class Unfollowed(ContractError):
    """A reference is not followed; the message says why."""


class Texts:
    """The texts of a document, each read once."""

    def __init__(self, files: Files) -> None:
        """Read the first file; ContractError, with its name, if that fails."""
        self.files = files
        self._budget = Budget()
        self.root = self._read(files.root)
        self._texts: dict[str, SourceText | str] = {files.root: self.root}  # or the reason why there is none

    def at(self, path: str) -> SourceText:
        """The text of the file at `path`. Raises Unfollowed; TooLarge if the document has too many files or bytes."""
        if path not in self._texts:
            try:
                self._texts[path] = self._read(path)
            except TooLarge:
                raise
            except ContractError as error:
                self._texts[path] = f"is not followed: {error}"
        text = self._texts[path]
        if isinstance(text, str):
            raise Unfollowed(text)
        return text

    def value(self, target: Target) -> Any:
        """The value of `target`. Raises Unfollowed."""
        node = self.at(target.file).value
        for part in target.parts:
            try:
                node = member(node, part)
            except (KeyError, IndexError, ValueError, TypeError):
                raise Unfollowed("leads nowhere") from None
        return node

    def _read(self, path: str) -> SourceText:
        name = self.files.name(path)
        self._budget.admit(name)
        try:
            content = self.files.read(path, self._budget.size)
        except ContractError as error:
            raise ContractError(f"{name}: {error}") from None
        self._budget.spend(name, content)
        return SourceText.read(name, content)


def target_of(reference: str, file: str) -> Target:
    """The target of `reference`, which stands in `file`. Raises Unfollowed."""
    try:
        url = urlsplit(reference)
    except ValueError:
        raise Unfollowed("is no URI reference") from None
    if url.scheme or url.netloc:
        raise Unfollowed(f"is remote, and nothing is fetched: {BUNDLE}")
    if url.fragment and not url.fragment.startswith("/"):
        raise Unfollowed("has a fragment that is no JSON pointer")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(url.path))) if url.path else file
    if path == ".." or path.startswith(("../", "/")):
        raise Unfollowed(f"leaves the directory of the document: move the document up, or {BUNDLE}")
    return Target(path, parts_of("#" + url.fragment) if url.fragment else ())
