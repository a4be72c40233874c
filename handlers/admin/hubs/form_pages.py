"""Pages with one form each: what it will do to whom, its fields, and why. And a page that shows a secret once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.responses import Response

from db.oauth_clients import OAuthClient
from handlers.admin.hubs.paths import HUBS
from handlers.admin.visits import Visit
from handlers.paths import hub_path
from handlers.sessions.fields import Fields

WHY = "why"


@dataclass(frozen=True, slots=True)
class Input:
    """A field of text; or, with `boxes`, a box for each of these values, with its words."""

    name: str
    label: str
    hint: str = ""
    is_required: bool = False
    boxes: Mapping[str, str] = field(default_factory=dict[str, str])
    ticked: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class FormPage:
    """The page. `consequences` say what will happen to whom, `warning` why that may be wrong; `seen` is the state.

    `command` does the same.
    """

    title: str
    hub: str
    lede: str
    consequences: Sequence[str]
    inputs: Sequence[Input]
    fields: Fields
    seen: str
    action: str
    button: str
    command: str
    warning: str = ""
    is_dangerous: bool = False
    tab: str = HUBS

    @property
    def back(self) -> str:
        """The path of the page of the hub."""
        return hub_path(self.hub)

    @property
    def labels(self) -> dict[str, str]:
        """The words of the fields, by name."""
        return {each.name: each.label for each in self.inputs} | {WHY: "Why"}


@dataclass(frozen=True, slots=True)
class SecretPage:
    """What was done, and the secrets that are shown once, by what each is; `notes` are sentences.

    `links` are sentences about what to do next, by the paths that they lead to.
    """

    title: str
    hub: str
    secrets: Mapping[str, str]
    notes: Sequence[str]
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    tab: str = HUBS

    @property
    def back(self) -> str:
        """The path of the page of the hub."""
        return hub_path(self.hub)


def show(visit: Visit, page: FormPage) -> Response:
    """The page; 422 with the faults of its fields."""
    return visit.page("hub_form.html", page, 422 if page.fields.faults else 200)


def show_once(visit: Visit, page: SecretPage) -> Response:
    """The page that answers the form: the secrets are on no other one, and nowhere else."""
    return visit.page("hub_secret.html", page)


def moment(instant: datetime) -> str:
    """An instant in words, in UTC."""
    return f"{instant.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC"


def tokens_of(clients: Sequence[OAuthClient]) -> str:
    """The tokens of the clients that are enabled, as the subject of a sentence; empty if none is."""
    count = sum(client.disabled_at is None for client in clients)
    return "" if not count else "The tokens of its client" if count == 1 else f"The tokens of its {count} clients"


def checked(visit: Visit) -> Fields:
    """The fields of the form of a visit, the reason checked."""
    fields = Fields(visit.form)
    fields.text(WHY)
    return fields
