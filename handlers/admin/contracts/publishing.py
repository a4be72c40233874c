"""Publishing a contract: its document is typed or pasted, examined, and stored as a draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from starlette.responses import Response

from db import contracts
from handlers.admin.contracts.standing import PATH, standing
from handlers.admin.roles import FORM_BYTES, GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.contracts.candidates import Candidate, examine
from handlers.contracts.lifecycle import publish_examined
from handlers.pages import parameters
from handlers.portal.comparison_pages import Comparison, comparison
from handlers.sessions.fields import Fields
from handlers.sessions.forms import Form
from handlers.site.service_state import service_state
from handlers.tools.messages import Task
from handlers.tools.work import EXAMINE
from handlers.tools.workshop import Room, worked_out
from openapi.contract import Contract
from openapi.diff.findings import OPEN, certainty
from openapi.diff.rules import Severity, judge
from openapi.diff.sentences import sentence
from openapi.lint.rules import Finding
from openapi.problems import Problem
from openapi.standards.media_types import YAML

PUBLISH = f"{PATH}/publish"
_LONGEST_FAULT = 500


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A change from the version `old` that is not proved compatible, as a box to tick."""

    fingerprint: str
    old: str
    sentence: str
    why: str
    pointer: str
    is_ticked: bool


_EXAMINATIONS = Room(2)
"""The examinations that a worker does at once."""
_REFUSED = Problem("document_refused", name="document", fault="").error


@dataclass(frozen=True, slots=True)
class PublishPage:
    """The page: what was typed, and what was found in the document. `verdict` is empty before it was examined."""

    fields: Fields
    verdict: str = ""
    version: str | None = None
    is_publishable: bool = False
    findings: Sequence[Finding] = ()
    acknowledgements: Sequence[Acknowledgement] = ()
    comparison: Comparison | None = None
    limit: int = FORM_BYTES[POST, PUBLISH]
    labels: Mapping[str, str] = field(
        default_factory=lambda: {"document": "Document", "acknowledge": "Changes to acknowledge", "why": "Why"}
    )
    title: str = "Publish a contract"
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The form, empty or with the document of a version, and what it does."""
    return {(GET, PUBLISH): _show, (POST, PUBLISH): _publish}


async def _show(visit: Visit) -> Response:
    text = ""
    if version := parameters.text(visit.request, "from"):
        text = (await visit.read(standing, version)).row.document
    return visit.page("admin_publish.html", PublishPage(DocumentFields(document=text)))


async def _publish(visit: Visit) -> Response:
    """Publish the document if the form says so and nothing is wrong with it; show what was found otherwise."""
    state, form = service_state(visit.request), visit.form
    fields, text = DocumentFields(form), document(form)
    if not text.strip():
        fields.refuse("document", "Enter an OpenAPI 3.0 document, in YAML or JSON.")
        return visit.page("admin_publish.html", PublishPage(fields), 422)
    why, is_final = fields.text("why"), form.text("do") == "publish"
    rows = await visit.read(contracts.list_all)
    if fault := await _fault(visit, text):
        candidate = Candidate(rows, fault=fault)
    else:
        candidate = await state.publications.build(partial(examine, text, rows, state.serving.contracts))
    if candidate.contract and candidate.is_published:
        version = candidate.contract.version
        return await visit.go_on(f"{PATH}/{version}", f"Contract {version} is published already, with this content.")
    _judge(candidate, fields, frozenset(form.every("acknowledge")), why, is_final)
    if candidate.contract and is_final and not fields.faults:
        version = candidate.contract.version
        await visit.change("publish", publish_examined, candidate.contract, rows, visit.author)
        return await visit.go_on(f"{PATH}/{version}", f"Contract {version} is published as a draft. Rehearse it next.")
    status = 422 if fields.faults else 200
    return await state.publications.build(partial(_examined, visit, candidate, fields, status))


async def _fault(visit: Visit, text: str) -> str | None:
    """Why a document cannot be examined on a thread: it is no contract, or takes more than a process may."""
    task = Task(EXAMINE, "", YAML, text.encode("utf-8", "surrogatepass"))
    try:
        with _EXAMINATIONS.entering():
            await worked_out(task, visit.request.receive)
    except Problem as problem:
        if problem.is_transient:
            raise
        return problem.error.removeprefix(_REFUSED)
    return None


class DocumentFields(Fields):
    """The fields, with the document as it was typed."""

    def value(self, name: str) -> str:
        """What stands in a field: of the document also the blanks around it, which YAML reads."""
        return document(self._form) if name == "document" and self._form else super().value(name)


def document(form: Form) -> str:
    """The document in a form, with line feeds as line ends."""
    return form.secret("document").replace("\r\n", "\n")


def _judge(candidate: Candidate, fields: Fields, ticked: frozenset[str], why: str, is_final: bool) -> None:
    """Note what is wrong with a candidate, and, if it `is_final`, with what was ticked."""
    if candidate.fault:
        fields.refuse("document", _told(candidate.fault))
    elif broken := candidate.broken:
        rules = "1 rule that every contract keeps" if len(broken) == 1 else f"{len(broken)} rules"
        fields.refuse("document", f"It breaks {rules}: see the table.")
    elif proved := candidate.too_low(frozenset(candidate.undecided)):
        fields.refuse("document", _told(str(proved[0])))
    elif is_final and (left := candidate.too_low(ticked)):
        count = sum(len(violation.changes) for violation in left)
        changes = "1 change is" if count == 1 else f"{count} changes are"
        fields.refuse("acknowledge", f"{changes} not proved compatible. Acknowledge each, or give it a higher number.")
    elif is_final and ticked & candidate.undecided.keys() and not why:
        fields.refuse("why", "Say why the acknowledged changes break no client.")


def _examined(visit: Visit, candidate: Candidate, fields: Fields, status: int) -> Response:
    """The page of a candidate; made on a thread, because it may be large."""
    ticked = visit.form.every("acknowledge")
    page = PublishPage(
        fields,
        _verdict(candidate),
        candidate.contract.version if candidate.contract else None,
        candidate.is_sound and not candidate.too_low(frozenset(candidate.undecided)),
        [*candidate.broken, *(each for each in candidate.findings if each.severity != "error")],
        [
            Acknowledgement(name, old, sentence(change) + ".", judge(change).why, change.pointer or "/", name in ticked)
            for name, (old, change) in candidate.undecided.items()
        ],
        comparison(candidate.report) if candidate.report else None,
    )
    return visit.page("admin_publish.html", page, status)


def _verdict(candidate: Candidate) -> str:
    """Which version the document has, and which one it must have."""
    contract = candidate.contract
    if contract is None or candidate.fault:
        return "This is no document that can be published."
    if candidate.broken:
        return f"Contract {contract.version} cannot be published before it keeps every rule."
    return _version_verdict(candidate, contract)


def _version_verdict(candidate: Candidate, contract: Contract) -> str:
    if broken := [change for violation in candidate.violating for change in violation.changes]:
        undecided = sum(certainty(change) in OPEN for change in broken)
        if undecided == len(broken):
            return (
                f"Contract {contract.version} may be published if you acknowledge what is not proved compatible; "
                f"otherwise it needs the version {contract.major + 1}.0."
            )
        return f"It needs the version {contract.major + 1}.0, and has {contract.version}."
    reason = "its number is high enough for what it changes."
    if candidate.report is None:
        reason = "it follows no other contract."
    elif candidate.report.severity is Severity.NONE:
        reason = f"it says the same as {candidate.report.old}."
    return f"Contract {contract.version} may be published: {reason}"


def _told(fault: str) -> str:
    """A fault as a sentence of a page."""
    words = " ".join(fault.split())
    shown = words if len(words) <= _LONGEST_FAULT else words[:_LONGEST_FAULT] + "\u2026"
    return shown[:1].upper() + shown[1:] + ("" if shown.endswith((".", "\u2026")) else ".")
