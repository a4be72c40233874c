"""The work on documents, with the functions of the commands `contract diff` and `generate client`."""

from collections.abc import Callable, Mapping, Sequence

import db.errors
from handlers.contracts.client_packages import LANGUAGES
from handlers.contracts.lifecycle import application
from handlers.operations import OPERATIONS
from handlers.tools.bodies import MOST_BYTES, documents
from handlers.tools.messages import Refused, Task
from openapi.contract import Contract, ContractError, Document
from openapi.diff.reports.html_report import html_report
from openapi.diff.reports.markdown_report import markdown_report
from openapi.diff.reports.report import Report
from openapi.generate.client_operations import client_model
from openapi.generate.outside_profile import readable
from openapi.lint.rules import lint
from openapi.rendering.representations import Representation
from openapi.standards.media_types import HTML, JSON, MARKDOWN

DIFF, CLIENT, EXAMINE = "diff", "client", "examine"
DOCUMENTS: Mapping[str, tuple[str, ...]] = {DIFF: ("old", "new"), CLIENT: ("document",)}
"""By tool: the names of the documents that it takes."""
MOST_EXAMINED_BYTES = 2 * 1024 * 1024
"""Limit on a document that operators publish."""
FORMATS: Mapping[str, tuple[Callable[[Report], str], str]] = {
    JSON: (Report.as_json_text, "backslashreplace"),  # a lone surrogate, as JSON writes it
    MARKDOWN: (markdown_report, "replace"),
    HTML: (html_report, "replace"),
}
"""By media type: the text of a report, and what UTF-8 has in place of a lone surrogate."""


def work(task: Task) -> Representation:
    """The result of `task`; Refused if its documents are not as the tool takes them."""
    if task.tool == EXAMINE:
        return _examination(task.body)
    sent = documents(task.content_type, task.body, DOCUMENTS[task.tool])
    read = [_document(name, content) for name, content in sent.items()]
    return WORK[task.tool](read, task.variant)


def _document(name: str, content: bytes) -> Document:
    try:
        return Document.of_bytes(content, MOST_BYTES)
    except ContractError as error:
        shown = name if name == "document" else f"{name} document"
        raise Refused("document_refused", name=shown, fault=_shown(error)) from None


def _difference(read: Sequence[Document], media_type: str) -> Representation:
    """The report on the changes from the first to the second of two documents, in `media_type`."""
    old, new = read
    write, errors = FORMATS[media_type]
    try:
        with readable():
            text = write(Report.of(old, new, ("old", "new")))
    except ContractError as error:
        raise Refused("documents_incomparable", fault=_shown(error)) from None
    return Representation.of(media_type, text.encode("utf-8", errors))


def _client(read: Sequence[Document], language: str) -> Representation:
    """The package of a client of the one document; Refused if anything in that has no place in it."""
    (document,) = read
    try:
        package = LANGUAGES[language][0](client_model(document))
    except ContractError as error:
        raise Refused("document_outside_profile", fault=_shown(error)) from None
    return Representation.of_file(package.media_type, package.content, package.file_name)


def _examination(content: bytes) -> Representation:
    """Nothing: what publishing would do with a document is done here first, where limits end it."""
    try:
        contract = Contract.read(Document.of_bytes(content, MOST_EXAMINED_BYTES).text)
        findings = lint(contract, OPERATIONS)
        if all(finding.severity != "error" for finding in findings):
            application(contract)
    except (ContractError, db.errors.Refused) as error:
        raise Refused("document_refused", name="document", fault=_shown(error)) from None
    return Representation.of(JSON, b"true")


def _shown(error: Exception) -> str:
    """The message of `error`, which may repeat a lone surrogate of a document."""
    return str(error).encode("utf-8", "backslashreplace").decode()


WORK: Mapping[str, Callable[[Sequence[Document], str], Representation]] = {
    DIFF: _difference,
    CLIENT: _client,
}
"""By tool: what makes the result, in a variant, from its documents."""
