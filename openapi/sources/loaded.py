"""A document that is only compared, from a file and those that it refers to, a revision of git, or standard input."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openapi.contract import ContractError, Document
from openapi.sources.bundle import bundle
from openapi.sources.files import Files, LocalFiles, StandardInput
from openapi.sources.git import RevisionFiles
from openapi.sources.marks import Marks
from openapi.sources.references import Texts

STANDARD_INPUT = "-"
CONVERT = "convert it to OpenAPI 3, for instance with `npx swagger2openapi`"


@dataclass(frozen=True)
class LoadedDocument(Document):
    """A document and the places of its values.

    Its text is that of its file; JSON of the whole, if it has several files, or may have aliases.
    """

    marks: Marks | None = field(default=None, repr=False)
    name: str = ""
    """What an error calls it, such as `the old document`."""

    def resolve(self, node: Any) -> Any:
        """As `Document.resolve`; the error has the file, line and column of a reference that fails."""
        try:
            return super().resolve(node)
        except ContractError as error:
            if self.marks is None:
                raise
            reference = self._failing(node)
            reason = self.marks.bundle.unfollowed.get(reference)
            position = self.marks.position_of_reference(reference)
            message = f"$ref {reference!r} {reason}" if reason else str(error)
            raise ContractError(f"{self.name}: {position}: {message}") from None

    def _failing(self, node: dict[str, Any]) -> str:
        """The reference that cannot be followed, of those that lead on from `node`."""
        seen: set[str] = set()
        reference = str(node["$ref"])
        while reference.startswith("#/") and reference not in seen:
            seen.add(reference)
            try:
                node = self._at(reference)
            except ContractError:
                break
            reference = str(node["$ref"])
        return reference


def files_of(argument: str) -> Files:
    """Where the document is that `argument` names: a file, `-` or `REV:path`. A file of that very name goes first."""
    if argument == STANDARD_INPUT:
        return StandardInput(sys.stdin.buffer)
    path = Path(argument)
    if argument.startswith(("http://", "https://")) and not _exists(path):
        raise ContractError(f"{argument}: nothing is fetched: download it, and give the file or `-`")
    revision = None if _exists(path) else RevisionFiles.of(argument)
    return revision or LocalFiles(path)


def read(argument: str, name: str = "the document") -> LoadedDocument:
    """The document that `argument` names. ContractError, with `name`, file, line and column where there is one."""
    try:
        return _read(argument, name)
    except ContractError as error:
        raise ContractError(f"{name}: {error}") from None


def _read(argument: str, name: str) -> LoadedDocument:
    texts = Texts(files_of(argument))
    bundled = bundle(texts)
    document = bundled.value
    marks = Marks(texts, bundled)
    if isinstance(document, dict) and "swagger" in document:
        raise ContractError(f"{marks.of('/swagger')}: it is Swagger {str(document['swagger'])[:20]}: {CONVERT}")
    if not isinstance(document, dict) or not isinstance(document.get("info"), dict):
        raise ContractError(f"{marks.of('/info')}: it is not an OpenAPI object with an info object")
    root = texts.root
    is_plain = bundled.value is root.value and (root.is_json or not ("&" in root.text or "<<" in root.text))
    return LoadedDocument(root.text if is_plain else json.dumps(document), document, marks, name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the name is too long
        return False
