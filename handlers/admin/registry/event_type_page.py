"""The page of an event type for operators: what it is, who sends it, what waits for approval, and its forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import event_type_entries, event_type_traffic, type_usage
from db.event_type_entries import Entry
from db.event_type_traffic import HubCount
from db.event_types import PUBLIC
from db.type_usage import TypeUsage
from handlers.admin import stale
from handlers.admin.registry import changes, definitions, names, replays, trials, tries
from handlers.admin.registry.changes import APPROVE, PROPOSE, Form
from handlers.admin.registry.registry_page import USAGE_DAYS
from handlers.admin.registry.trials import Outcome
from handlers.admin.registry.tries import MOST_HUBS
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.paths import REGISTRY, event_type_path, manifests_path, registry_path
from handlers.sessions.fields import Fields

_LABELS = {**definitions.LABELS, "why": "Why"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The definition that waits for approval, and what of the last traffic would newly fail."""

    description: str
    version: int
    schema: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class EventTypePage:
    """The page. `form` is the form that was sent, if its `fields` have faults; `paths` are those of the forms.

    `definition` has the fields of the form that proposes another definition. `manifests` is the path of the manifests
    of the hub that registered it, empty if no hub did.

    `senders` are the hubs that sent it in USAGE_DAYS, `rejected` those whose submissions with its name were rejected.
    """

    entry: Entry
    schema: str
    proposal: Proposal | None
    usage: TypeUsage
    senders: Sequence[HubCount]
    rejected: Sequence[HubCount]
    rejected_count: str
    seen: str
    fields: Fields
    definition: Fields
    form: str
    paths: Mapping[str, str]
    public: str
    manifests: str
    title: str
    days: int = USAGE_DAYS
    most_hubs: int = MOST_HUBS
    events: int = trials.EVENTS
    labels: Mapping[str, str] = field(default_factory=lambda: _LABELS)
    tab: str = REGISTRY


@dataclass(frozen=True, slots=True)
class _Traffic:
    """What hubs sent of the type."""

    usage: TypeUsage
    senders: Sequence[HubCount]
    rejected: Sequence[HubCount]


def pages() -> dict[tuple[str, str], Handle]:
    """The page and its forms."""
    one = f"{REGISTRY}/{{name:path}}"
    return {
        (GET, one): _show,
        **{(POST, f"{one}/{form.name}"): _handle(form) for form in changes.FORMS},
        (POST, f"{one}/{PROPOSE}"): _propose,
    }


async def _show(visit: Visit) -> Response:
    return await _page(visit, await _entry(visit), Fields())


def _handle(form: Form) -> Handle:
    async def handle(visit: Visit) -> Response:
        fields, name = Fields(visit.form), names.of(visit.request)
        fields.text("why")
        if fields.faults:
            return await _page(visit, await _entry(visit), fields, form.name)
        await changes.change(visit, form, await _entry(visit))
        note, path = form.done.format(name), REGISTRY if visit.form.text("list") else registry_path(name)
        if form.name == APPROVE:
            return await replays.go_on(visit, path, name, note)
        return await visit.go_on(path, note)

    return handle


async def _propose(visit: Visit) -> Response:
    entry, fields = await _entry(visit), Fields(visit.form)
    if not await changes.propose(visit, entry, fields):
        return await _page(visit, entry, fields, PROPOSE)
    path = registry_path(entry.name)
    return await visit.go_on(
        path, "The new definition waits. Look at what would newly fail, then approve or refuse it."
    )


async def _entry(visit: Visit) -> Entry:
    """The entry that the path names; PageRefusal 404 if there is none."""
    name = names.of(visit.request)
    entry = await visit.read(event_type_entries.get, name) if names.is_storable(name) else None
    if entry is None:
        raise names.missing(visit, name)
    return entry


def _initial(entry: Entry) -> Fields:
    schema = tries.schema_text(entry.metadata_schema, is_short=True)
    return Fields(description=entry.description, version=str(entry.version), metadata_schema=schema)


async def _page(visit: Visit, entry: Entry, fields: Fields, form: str = "") -> Response:
    traffic = await visit.read(_traffic, entry.name)
    proposal = entry.proposal and Proposal(
        entry.proposal["description"],
        entry.proposal["version"],
        tries.schema_text(entry.proposal["metadata_schema"]),
        await trials.tried(visit, entry),
    )
    page = EventTypePage(
        entry=entry,
        schema=tries.schema_text(entry.metadata_schema),
        proposal=proposal or None,
        usage=traffic.usage,
        senders=traffic.senders,
        rejected=traffic.rejected,
        rejected_count=tries.in_words(sum(each.count for each in traffic.rejected)),
        seen=stale.state_of(entry),
        fields=fields,
        definition=fields if form == PROPOSE else _initial(entry),
        form=form,
        paths={name: registry_path(entry.name, name) for name in (*(each.name for each in changes.FORMS), PROPOSE)},
        public=event_type_path(entry.name) if entry.status in PUBLIC else "",
        manifests=manifests_path(entry.hub) if entry.hub is not None else "",
        title=entry.name,
    )
    return visit.page("registered_type.html", page, 422 if form else 200)


def _traffic(connection: Connection, name: str) -> _Traffic:
    since = datetime.now(UTC) - timedelta(days=USAGE_DAYS)
    return _Traffic(
        type_usage.of_types(connection, [name], since)[name],
        event_type_traffic.senders(connection, name, since),
        event_type_traffic.rejected_by_hub(connection, name),
    )
