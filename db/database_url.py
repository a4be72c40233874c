"""The database URL: what it may say, and the parameters of libpq that it stands for."""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from db import session_settings
from db.errors import Failed

CONNECT_SECONDS = 5
SEVERAL_HOSTS_SECONDS = 2
"""For each of several hosts: a silent one must not take all the time. It is psycopg's minimum."""
MAX_CONNECT_SECONDS = 60

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_DEFAULTS = {
    "application_name": "interaction-reporting",
    # The kernel notices a server that disappears without closing the connection.
    "tcp_user_timeout": str(session_settings.STATEMENT_SECONDS * 1000),
    "keepalives_idle": str(CONNECT_SECONDS),
    "keepalives_interval": str(CONNECT_SECONDS),
    "keepalives_count": "2",
    # Each session listens, or reads locks that a standby does not have. A read-only primary can still be read.
    "target_session_attrs": "primary",
}
_FORM = re.compile(r"(?P<scheme>[\w+]+)://(?:(?P<user>[^:/@?]*)(?P<password>:[^@?]*)?@)?(?P<rest>.*)", re.DOTALL)


def parameters(url: str) -> dict[str, str]:
    """The parameters of libpq for `url`: its own, and ours where it says nothing.

    Failed, without a word of the URL's password, if the URL is wrong or contradicts what the service needs.
    """
    named = _parsed(url)
    _require_suitable(named)
    several = "," in named.get("host", "") + named.get("hostaddr", "")
    seconds = SEVERAL_HOSTS_SECONDS if several else CONNECT_SECONDS
    return {
        "connect_timeout": str(seconds),
        **_DEFAULTS,
        **named,
        "client_encoding": "utf8",
        "options": session_settings.options(named.get("options", "")),
    }


def connect_seconds(url: str) -> float | None:
    """The `connect_timeout` that `url` names; None if it names none."""
    named = _parsed(url).get("connect_timeout")
    return None if named is None else float(named)


def _parsed(url: str) -> dict[str, str]:
    """The parameters that `url` itself names, as libpq reads it, except that a password may have any character."""
    match = _FORM.fullmatch(url)
    if match is None:
        raise Failed("the database URL is not of the form postgresql://user:password@host:port/database")
    if match["scheme"] not in _SCHEMES:
        raise Failed(f"the database URL begins with {match['scheme']}://; only postgresql:// is supported")
    if "@" in re.split("[/?]", match["rest"])[0]:  # libpq would repeat what it takes for the host: part of a password
        raise Failed("the database URL has one @ too many: write an @ in the user or the password as %40")
    try:
        parsed = conninfo_to_dict(f"postgresql://{_encoded_user(match)}{match['rest']}")
    except psycopg.Error as error:
        raise Failed(_reason(str(error))) from None
    return {name: str(value) for name, value in parsed.items()}


def _encoded_user(match: re.Match[str]) -> str:
    if match["user"] is None:
        return ""
    password = "" if match["password"] is None else ":" + quote(unquote(match["password"][1:]), safe="")
    return f"{quote(unquote(match['user']), safe='')}{password}@"


def _reason(message: str) -> str:
    """What is wrong with a URL that libpq refuses with `message`, which may repeat a part of it."""
    unknown = re.search(r'invalid URI query parameter: "(\w+)"', message)
    if unknown:
        return f"the database URL has the unknown parameter {unknown[1]!r}: correct or remove it"
    return "the database URL cannot be read: write each special character after the host as %XX"


def _require_suitable(named: Mapping[str, str]) -> None:
    """Failed if the service cannot work with the parameters `named`."""
    seconds = named.get("connect_timeout", "1")
    if not seconds.isascii() or not seconds.isdecimal() or not 1 <= int(seconds) <= MAX_CONNECT_SECONDS:
        raise Failed(f"connect_timeout in the database URL is {seconds!r}: name 1 to {MAX_CONNECT_SECONDS} seconds")
    if named.get("client_encoding", "utf8").lower().replace("-", "") not in ("utf8", "unicode"):
        raise Failed(f"client_encoding in the database URL is {named['client_encoding']!r}: only utf8 is supported")
    sessions = named.get("target_session_attrs", "primary")
    if sessions not in ("read-write", "primary"):
        raise Failed(
            f"target_session_attrs in the database URL is {sessions!r}: every session of the service needs a server "
            "that takes writes; leave it out, or name primary or read-write"
        )
    if "replication" in named:
        raise Failed("the database URL has the parameter 'replication', with which no statement runs: remove it")
