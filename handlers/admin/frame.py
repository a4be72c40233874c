"""What is around every page of the admin: the tabs, who is signed in, and what was just done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from db.admins import Role
from handlers.admin.roles import GET, TABLE, may
from handlers.paths import ADMIN, WIDGETS

TABS = {
    ADMIN: "Overview",
    f"{ADMIN}/event-types": "Event types",
    WIDGETS: "Widgets",
    f"{ADMIN}/hubs": "Hubs",
    f"{ADMIN}/rejected": "Rejected",
    f"{ADMIN}/live": "Live",
    f"{ADMIN}/events": "Events",
    f"{ADMIN}/contracts": "Contracts",
    f"{ADMIN}/migration": "Migration",
    f"{ADMIN}/admins": "Admins",
    f"{ADMIN}/audit": "Audit",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The admin who is signed in, the `token` of their forms, and the `note` that the page says, None if nothing."""

    name: str
    role: Role
    token: str
    note: Mapping[str, Any] | None = None
    tabs: Mapping[str, str] = field(init=False)
    """The words of the tabs that the role may open, by path."""
    template: str = "admin.html"
    sign_out: str = f"{ADMIN}/sign-out"

    def __post_init__(self) -> None:
        tabs = {path: word for path, word in TABS.items() if (GET, path) in TABLE and may(self.role, TABLE[GET, path])}
        object.__setattr__(self, "tabs", tabs)

    @property
    def who(self) -> str:
        """The admin, and their role."""
        return f"{self.name}, {self.role}"

    def may(self, method: str, path: str) -> bool:
        """True if the role may do what the table says of a method and a path."""
        return may(self.role, TABLE[method, path])
