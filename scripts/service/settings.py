"""The settings: one table, read once from the environment. README and `--help` show it."""

import dataclasses
import difflib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "IR_"
CHOICES = {
    "log_level": ("debug", "info", "warning", "error"),
    "manifest_approval": ("automatic", "manual"),
    "tools": ("off", "operators", "everybody"),
}
LISTS = {"client_languages": ("go", "java", "csharp", "rust", "kotlin", "php", "ruby", "swift6")}
"""What a list of names may have."""
LONGEST_RETENTION = 36500
"""Days."""
LONGEST_TOKEN_SECONDS = 3600
SWITCH = {"on": True, "off": False}


class SettingsError(ValueError):
    """An environment variable has a value that its setting cannot take."""


def _for(purpose: str, highest: int = 3600, lowest: int = 1) -> dict[str, Any]:
    return {"help": purpose, "lowest": lowest, "highest": highest}


@dataclass(frozen=True)
class Settings:
    """The settings of the service. Each field is read from the variable `IR_` plus its name in upper case."""

    database_url: str = field(
        default="",
        metadata=_for("PostgreSQL 15 or later: postgresql://user:password@host/database; unset: an embedded one"),
    )
    data_dir: Path = field(
        default=Path(".data"), metadata=_for("directory of the embedded PostgreSQL and of the demo's key")
    )
    runtime_dir: str = field(
        default="",
        metadata=_for(
            "directory of what the workers share while they run; unset: that of systemd, or one in the data directory"
        ),
    )
    host: str = field(default="127.0.0.1", metadata=_for("the address to listen on"))
    port: int = field(default=8080, metadata=_for("the port to listen on; 0 takes a free one", 65535, lowest=0))
    workers: int = field(default=1, metadata=_for("number of worker processes", 256))
    connections: int = field(
        default=8, metadata=_for("database connections in the pool of each worker, which has five more", 256)
    )
    database_timeout: float = field(
        default=10.0, metadata=_for("seconds until a silent database counts as unavailable")
    )
    head_timeout: float = field(default=10.0, metadata=_for("seconds for the head of a request to arrive"))
    body_timeout: float = field(
        default=20.0,
        metadata=_for("seconds that the pauses within a body, or within 64 KiB of NDJSON, may take together"),
    )
    write_timeout: float = field(
        default=75.0, metadata=_for("seconds in which a client may acknowledge nothing of a response that waits for it")
    )
    # The proxies of Heroku and cloudflared keep idle connections open for 90 s; the service must not close them first.
    keep_alive: int = field(default=120, metadata=_for("seconds that an idle connection is kept open"))
    drain_delay: float = field(
        default=0.0,
        metadata=_for(
            "seconds after SIGTERM in which the service still accepts connections, but is not ready", lowest=0
        ),
    )
    drain_timeout: int = field(default=30, metadata=_for("seconds for requests to finish after SIGTERM and the delay"))
    retention: int | None = field(
        default=None,
        metadata=_for(
            "days that events and annotations are kept at least; they are dropped by whole weeks, up to a week later; "
            "unset: forever",
            LONGEST_RETENTION,
        ),
    )
    manifest_approval: str = field(
        default="automatic",
        metadata=_for("automatic or manual: with manual, event types of a hub's manifest wait for approval"),
    )
    rejections_count: int = field(
        default=10_000, metadata=_for("rejected submissions that are kept for each hub", 1_000_000)
    )
    rejections_days: int = field(
        default=30, metadata=_for("days that rejected submissions are kept", LONGEST_RETENTION)
    )
    rejections_bytes: int = field(
        default=64 * 1024 * 1024, metadata=_for("bytes of rejected submissions that are kept for each hub", 2**40)
    )
    rate_limit: int = field(
        default=100_000,
        metadata=_for("items that each hub may send per second; a request without items counts as one", 10**9),
    )
    rate_burst: int = field(
        default=1_000_000,
        metadata=_for("items that an idle hub may send at once; a request without items counts as one", 10**9),
    )
    recovery_hours: int = field(
        default=24,
        metadata=_for(
            "hours that clients should keep acknowledged submissions, in case of a restore; /recovery shows it",
            24 * 366,
        ),
    )
    public_url: str = field(
        default="",
        metadata=_for(
            "public URL of the service, as https://host, also the issuer of its tokens; "
            "unset: the address that it listens on"
        ),
    )
    client_languages: tuple[str, ...] = field(
        default=(),
        metadata=_for(
            "languages of the clients that /contracts offers besides Python, separated by spaces or commas: "
            f"{', '.join(LISTS['client_languages'])}; unset: none"
        ),
    )
    oauth_token_seconds: int = field(
        default=600, metadata=_for("seconds that an access token is valid", LONGEST_TOKEN_SECONDS, lowest=10)
    )
    oauth_key_secret: str = field(
        default="",
        repr=False,
        metadata=_for(
            "32 bytes in Base64 that encrypt the signing keys in the database; unset: the keys are not encrypted"
        ),
    )
    oauth_keys_file: str = field(
        default="",
        metadata=_for(
            "file with a JWK Set of private P-256 keys; the first one signs; unset: keys are in the database"
        ),
    )
    oauth_issuers: str = field(
        default="", metadata=_for("other accepted issuers of access tokens: https URLs, separated by spaces or commas")
    )
    dpop_leeway: int = field(
        default=10,
        metadata=_for("seconds by which the clock of a DPoP client may differ from the service's", 60, lowest=0),
    )
    trusted_proxies: str = field(
        default="127.0.0.1 ::1",
        metadata=_for(
            "addresses and networks of proxies, separated by spaces or commas, "
            "that name clients in X-Forwarded-For or Forwarded"
        ),
    )
    operator_key: str = field(
        default="",
        repr=False,
        metadata=_for("password (at least 16 characters) of operators for /migration; unset: the page does not exist")
        | {"shortest": 16},
    )
    admin_oidc_issuer: str = field(
        default="",
        metadata=_for(
            "https URL of an issuer (OpenID Connect) that signs in admins; its client may lead back to "
            "/admin/sign-in/issued of the public URL; unset: only passwords do"
        ),
    )
    admin_oidc_client_id: str = field(
        default="", metadata=_for("the id of this service as a client of IR_ADMIN_OIDC_ISSUER")
    )
    admin_oidc_client_secret: str = field(default="", repr=False, metadata=_for("the secret of that client"))
    admin_oidc_roles: str = field(
        default="",
        metadata=_for(
            "roles by the groups that the issuer names in the claim groups or roles, as owner=platform-admins "
            "editor=support viewer=*; the highest counts; unset: an admin made with --without-password, by their "
            "verified email or their subject, has the role of the account"
        ),
    )
    tools: str = field(
        default="off",
        metadata=_for(
            "the callers that /tools accepts: off (none), operators (with IR_OPERATOR_KEY) or everybody; "
            "it compares documents and makes clients"
        ),
    )
    trace_ratio: float | None = field(
        default=None,
        metadata=_for(
            "share (0 to 1) of the requests that are traced without a traceparent, which decides for its request; "
            "unset: none is traced",
            1,
            lowest=0,
        ),
    )
    sentry_dsn: str = field(
        default="",
        repr=False,
        metadata=_for("address (DSN) of Sentry, which gets each line of the log at level error; unset: none"),
    )
    log_level: str = field(default="info", metadata=_for(", ".join(CHOICES["log_level"])))
    server_timing: bool = field(
        default=False, metadata=_for("on or off: a Server-Timing header in responses shows where their time went")
    )

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in `environment`; SettingsError names a wrong or an unknown variable."""
        fields = {variable(row.name): row for row in dataclasses.fields(cls)}
        texts = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
        for name in texts.keys() - fields.keys():
            nearest = difflib.get_close_matches(name, fields, n=1)
            raise SettingsError(f"{name} is not a setting" + (f"; did you mean {nearest[0]}?" if nearest else ""))
        settings = cls(**{fields[name].name: _parse(fields[name], text) for name, text in texts.items()})
        if settings.tools == "operators" and not settings.operator_key:
            raise SettingsError(f"{variable('tools')} is 'operators': that needs {variable('operator_key')}")
        return settings


def variable(name: str) -> str:
    """The environment variable of the setting `name`."""
    return PREFIX + name.upper()


def table() -> list[tuple[str, str, str]]:
    """Every setting: its variable, its default, and its purpose."""
    return [(variable(row.name), _written(row.default), row.metadata["help"]) for row in dataclasses.fields(Settings)]


def _written(default: Any) -> str:
    if default in (None, ()):
        return ""
    return next((text for text, value in SWITCH.items() if value is default), str(default))


def _long_enough(setting: dataclasses.Field[Any], text: str) -> str:
    """`text`; SettingsError if it is too short, without its value, because it is a secret."""
    shortest = setting.metadata.get("shortest", 0)
    if len(text) < shortest:
        raise SettingsError(f"{variable(setting.name)} has {len(text)} characters; it must have at least {shortest}")
    return text


def _listed(name: str, text: str, known: Collection[str]) -> tuple[str, ...]:
    """The names in `text`, each once; SettingsError if one is not known."""
    names = tuple(dict.fromkeys(re.split(r"[\s,]+", text.strip(", \t"))))
    for each in names:
        if each not in known:
            raise SettingsError(f"{name} has {each!r}; it may have {', '.join(known)}, separated by spaces or commas")
    return names


def _parse(setting: dataclasses.Field[Any], text: str) -> Any:
    name = variable(setting.name)
    if not text:
        raise SettingsError(f"{name} is empty; unset it to use the default")
    if setting.name in LISTS:
        return _listed(name, text, LISTS[setting.name])
    choices = SWITCH if isinstance(setting.default, bool) else CHOICES.get(setting.name, (text,))
    if text not in choices:
        raise SettingsError(f"{name} is {text!r}; it must be one of {', '.join(choices)}")
    if isinstance(setting.default, bool):
        return SWITCH[text]
    if isinstance(setting.default, Path | str):
        return type(setting.default)(_long_enough(setting, text))
    lowest, highest = setting.metadata["lowest"], setting.metadata["highest"]
    is_fraction = setting.type in (float, float | None)
    try:
        value = float(text) if is_fraction else int(text)
        if not lowest <= value <= highest:
            raise ValueError
    except ValueError:
        kind = "number" if is_fraction else "whole number"
        raise SettingsError(f"{name} is {text!r}; it must be a {kind} from {lowest} to {highest}") from None
    return value
