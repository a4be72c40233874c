"""Which role may do what: one table, for every page of the admin and for every form."""

from collections.abc import Mapping

from db.admins import ROLES, Role
from handlers.paths import ADMIN, REGISTRY, WIDGETS

GET, POST = "GET", "POST"
_VIEWER: Role = "viewer"
_EDITOR: Role = "editor"
_OWNER: Role = "owner"

TABLE: Mapping[tuple[str, str], Role] = {
    (GET, ADMIN): _VIEWER,
    (POST, f"{ADMIN}/sign-out"): _VIEWER,
    (GET, f"{ADMIN}/admins"): _OWNER,
    (POST, f"{ADMIN}/admins"): _OWNER,
    (POST, f"{ADMIN}/admins/{{name:path}}/role"): _OWNER,
    (POST, f"{ADMIN}/admins/{{name:path}}/disable"): _OWNER,
    (POST, f"{ADMIN}/admins/{{name:path}}/enable"): _OWNER,
    (GET, f"{ADMIN}/live"): _VIEWER,
    (GET, f"{ADMIN}/events"): _VIEWER,
    (GET, f"{ADMIN}/events/{{id}}"): _VIEWER,
    (GET, f"{ADMIN}/migration"): _VIEWER,
    (GET, f"{ADMIN}/audit"): _VIEWER,
    (GET, REGISTRY): _VIEWER,
    (POST, REGISTRY): _EDITOR,
    (GET, f"{REGISTRY}/{{name:path}}"): _VIEWER,
    (POST, f"{REGISTRY}/{{name:path}}/approve"): _EDITOR,
    (POST, f"{REGISTRY}/{{name:path}}/refuse"): _EDITOR,
    (POST, f"{REGISTRY}/{{name:path}}/deprecate"): _EDITOR,
    (POST, f"{REGISTRY}/{{name:path}}/propose"): _EDITOR,
    (GET, WIDGETS): _VIEWER,
    (POST, WIDGETS): _EDITOR,
    (GET, f"{WIDGETS}/{{id}}"): _VIEWER,
    (GET, f"{WIDGETS}/{{id}}/retire"): _EDITOR,
    (POST, f"{WIDGETS}/{{id}}/retire"): _EDITOR,
    (GET, f"{ADMIN}/hubs"): _VIEWER,
    (POST, f"{ADMIN}/hubs"): _OWNER,
    (GET, f"{ADMIN}/hubs/{{name:path}}"): _VIEWER,
    (GET, f"{ADMIN}/hub/manifests/{{name:path}}"): _VIEWER,
    (GET, f"{ADMIN}/hub/rotate-key/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/rotate-key/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/disable/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/disable/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/enable/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/cut-over/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/cut-over/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/undo-cut-over/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/limit/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/limit/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/add-origin/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/add-origin/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/remove-origin/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/issue-client/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/issue-client/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/rotate-client/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/rotate-client/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/hub/disable-client/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/disable-client/{{name:path}}"): _OWNER,
    (POST, f"{ADMIN}/hub/enable-client/{{name:path}}"): _OWNER,
    (GET, f"{ADMIN}/rejected"): _VIEWER,
    (GET, f"{ADMIN}/rejected/{{id}}"): _VIEWER,
    (POST, f"{ADMIN}/replays"): _EDITOR,
    (GET, f"{ADMIN}/replays/{{id}}"): _VIEWER,
    (POST, f"{ADMIN}/replays/{{id}}/cancel"): _EDITOR,
    (GET, f"{ADMIN}/contracts"): _VIEWER,
    (GET, f"{ADMIN}/contracts/compare"): _VIEWER,
    (GET, f"{ADMIN}/contracts/publish"): _EDITOR,
    (POST, f"{ADMIN}/contracts/publish"): _EDITOR,
    (GET, f"{ADMIN}/contracts/{{version}}"): _VIEWER,
    (POST, f"{ADMIN}/contracts/{{version}}/rehearse"): _EDITOR,
    (GET, f"{ADMIN}/contracts/{{version}}/rehearsals/{{id}}"): _VIEWER,
    **{
        (method, f"{ADMIN}/contracts/{{version}}/{action}"): _OWNER
        for action in (
            "activate",
            "deprecate",
            "withdraw-deprecation",
            "retire",
            "rollback",
            "withdraw-version",
            "discard",
        )
        for method in (GET, POST)
    },
}
"""The least role, by method and path. A page without a row is not served: the service does not start."""

FORM_BYTES: Mapping[tuple[str, str], int] = {(POST, f"{ADMIN}/contracts/publish"): 2 * 1024 * 1024}
"""Limit on the bytes of a form, by method and path, where it is another one than that of most forms."""


def may(role: Role, least: Role) -> bool:
    """True if `role` may do what `least` may."""
    return ROLES.index(role) >= ROLES.index(least)
