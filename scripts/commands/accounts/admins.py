"""`interaction-reporting admin`: the people who sign in to the pages at /admin."""

import dataclasses
import secrets
import sys
from typing import Annotated, Any

import typer

from db import admins
from db.admins import Admin, Role
from handlers.security import passwords
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.changes import Why, changing
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import Settings

Name = Annotated[str, typer.Argument(help="The admin's name.", parser=name_of)]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
Generated = Annotated[bool, typer.Option("--generate", help="Make a password up, and print it once.")]


def create(  # noqa: PLR0913, PLR0917 (the options of a command)
    name: Name,
    role: Annotated[Role, typer.Option(help="What they may do.")],
    password_stdin: FromStdin = False,
    generate: Generated = False,
    without_password: Annotated[
        bool, typer.Option("--without-password", help="Let only the issuer of IR_ADMIN_OIDC_ISSUER sign them in.")
    ] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Create an admin, who may sign in to /admin from now on."""
    password = None if without_password else _password(password_stdin, generate)
    hashed = None if password is None else passwords.hash_of(password)
    with changing("create", why) as connection:
        admin = admins.create(connection, name, role, hashed)
    _show(admin, password if generate else None, as_json)


def list_(as_json: AsJSON = False) -> None:
    """List every admin."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(admins.list_all(connection), as_json)


def set_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What they may do from now on.")],
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Let an admin do more or less, from their next request on."""
    with changing("set role", why) as connection:
        show(admins.set_role(connection, name, role), as_json)


def set_password(
    name: Name,
    password_stdin: FromStdin = False,
    generate: Generated = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Give an admin another password, and sign them out everywhere."""
    password = _password(password_stdin, generate)
    hashed = passwords.hash_of(password)
    with changing("set password", why) as connection:
        admin = admins.set_password(connection, name, hashed)
    _show(admin, password if generate else None, as_json)


def disable(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Sign an admin out everywhere, and refuse them from now on."""
    with changing("disable", why) as connection:
        show(admins.disable(connection, name), as_json)


def enable(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Let a disabled admin sign in again."""
    with changing("enable", why) as connection:
        show(admins.enable(connection, name), as_json)


def _password(from_stdin: bool, generate: bool) -> str:
    """The password that was given, typed or made up; BadParameter if it cannot be one."""
    if generate:
        return secrets.token_urlsafe(18)
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise typer.BadParameter("there is no terminal to type a password: use --password-stdin or --generate")
    if fault := passwords.fault(password):
        raise typer.BadParameter(fault)
    return password


def _show(admin: Admin, password: str | None, as_json: bool) -> None:
    row: dict[str, Any] = dataclasses.asdict(admin)
    show({**row, "password": password} if password else row, as_json)
    if password:
        note("Save the password now: only its hash is stored, so it cannot be shown again.")
