"""The account of someone that the issuer has signed in: found by their name, or made, with the role of their groups."""

import shlex
from collections.abc import Sequence

from sqlalchemy import Connection

from db import admins, audit
from db.admins import Admin, Role
from db.advisory_locks import AdvisoryLock, lock
from db.audit import Author
from db.errors import Refused
from handlers.pages.page_problems import PageRefusal
from handlers.paths import SIGN_IN
from handlers.security.sign_in_issuer import SignInOptions
from handlers.sessions.fields import LONGEST_NAME
from handlers.sessions.reading import sentence
from openapi.oauth.id_tokens import Subject


def admitted(connection: Connection, subject: Subject, options: SignInOptions, address: str | None) -> Admin:
    """The account of `subject`, with the role that it has from now on; PageRefusal, which says why, if there is none.

    With roles in `options` the account is made, or its role set, as the admin's own change.
    """
    lock(connection, AdvisoryLock.ADMIN_CHANGES)
    names = _names(subject)
    admin = _owned(admins.named(connection, names))
    if not options.roles:
        if admin is None:
            raise _without_account(names)
        return admin
    role = options.role_of(subject.groups)
    if role is None:
        raise _without_role(names)
    return _with_role(connection, admin, names[0], role, address)


def _with_role(connection: Connection, admin: Admin | None, name: str, role: Role, address: str | None) -> Admin:
    if admin is None:
        audit.attribute(connection, "create", Author(f"admin:{name}", None, address))
        return admins.create(connection, name, role, None)
    if admin.role == role:
        return admin
    audit.attribute(connection, "sign in", Author(f"admin:{admin.name}", None, address))
    try:
        return admins.set_role(connection, admin.name, role)
    except Refused as error:
        help_ = f"{sentence(error)} The groups of {admin.name} give the role {role} alone."
        raise _refused("role_kept", f"{admin.name} is the last owner", help_) from None


def _names(subject: Subject) -> Sequence[str]:
    """The names that the account of `subject` may have, the best first; PageRefusal if no account can have one."""
    candidates = [name for name in (subject.email, subject.id) if name and name == name.strip()]
    names = [name for name in candidates if name.isprintable() and len(name) <= LONGEST_NAME]
    if not names:
        help_ = f"Your name at the issuer has characters that cannot be printed, or more than {LONGEST_NAME}."
        raise _refused("no_name", "You have no name that this service can use", help_)
    return list(dict.fromkeys(names))


def _owned(known: Sequence[Admin]) -> Admin | None:
    """The one of the accounts with the names of a subject that the issuer may sign in; None if there is no account.

    PageRefusal if one is disabled, or if each has a password.
    """
    for admin in known:
        if admin.disabled_at is not None:
            help_ = f"The account {admin.name} is disabled. An owner can enable it: {_command('enable', admin.name)}"
            raise _refused("account_disabled", "Your account is disabled", help_)
    without_password = [admin for admin in known if not admin.has_password]
    if known and not without_password:
        name = known[0].name
        help_ = (
            f"The account {name} has a password, so that only its password signs in to it: someone else may have had "
            "the name first. If it is yours, sign in with its password. Else ask an owner."
        )
        raise _refused("account_with_password", f"The issuer cannot sign in {name}", help_)
    return without_password[0] if without_password else None


def _without_account(names: Sequence[str]) -> PageRefusal:
    command = _command("create", names[0], "--role", "viewer", "--without-password")
    help_ = f"The issuer has signed you in as {' or '.join(names)}. An owner can give you a role: {command}"
    return _refused("no_role", "You have no role here", help_)


def _without_role(names: Sequence[str]) -> PageRefusal:
    help_ = (
        f"The issuer has signed you in as {' or '.join(names)}, but none of your groups there has a role here. Ask an "
        "owner to add one of your groups to IR_ADMIN_OIDC_ROLES, or to add you to a group that it names."
    )
    return _refused("no_role", "You have no role here", help_)


def _refused(code: str, title: str, help_: str) -> PageRefusal:
    return PageRefusal(403, code, title, help_, {SIGN_IN: "Sign in otherwise"})


def _command(name: str, admin: str, *options: str) -> str:
    """A command of the owner: no name of an admin is another option of it, or another command."""
    words = [*options, "--", admin] if admin.startswith("-") else [admin, *options]
    return f"interaction-reporting admin {name} {shlex.join(words)}"
