"""The settings: one table, read once from the environment. README and `--help` are made from it."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(ValueError):
    """An environment variable has a value that its setting cannot take."""


def _for(purpose: str) -> dict[str, str]:
    return {"help": purpose}


@dataclass(frozen=True)
class Settings:
    """How the service runs. Each field is read from `IR_` and its name in upper case."""

    database_url: str = field(
        default="",
        metadata=_for("PostgreSQL 15 or later: postgresql://user:password@host/database; unset: an embedded one"),
    )
    data_dir: Path = field(
        default=Path(".data"), metadata=_for("where the embedded PostgreSQL and the demo's key live")
    )
    host: str = field(default="127.0.0.1", metadata=_for("the address to listen on"))
    port: int = field(default=8080, metadata=_for("the port to listen on; 0 takes a free one"))
    workers: int = field(default=1, metadata=_for("processes that serve"))
    connections: int = field(default=8, metadata=_for("database connections of each worker"))
    database_timeout: float = field(default=10.0, metadata=_for("seconds until a silent database counts as away"))
    head_timeout: float = field(default=10.0, metadata=_for("seconds in which the head of a request must arrive"))
    body_timeout: float = field(default=20.0, metadata=_for("seconds in which the body of a request must arrive"))
    keep_alive: int = field(default=75, metadata=_for("seconds that an idle connection is kept open"))
    drain_timeout: int = field(default=30, metadata=_for("seconds that requests have to finish after SIGTERM"))
    log_level: str = field(default="info", metadata=_for(", ".join(LOG_LEVELS)))

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in `environment`; SettingsError names the variable that is wrong."""
        given = {setting: environment.get(variable(setting.name)) for setting in dataclasses.fields(cls)}
        return cls(**{setting.name: _parse(setting, text) for setting, text in given.items() if text})


def variable(name: str) -> str:
    """The environment variable of the setting `name`."""
    return "IR_" + name.upper()


def table() -> list[tuple[str, str, str]]:
    """Every setting: its variable, its default, and what it is for."""
    return [(variable(row.name), str(row.default), row.metadata["help"]) for row in dataclasses.fields(Settings)]


def _parse(setting: dataclasses.Field[Any], text: str) -> Any:
    if setting.name == "log_level" and text not in LOG_LEVELS:
        raise SettingsError(f"{variable(setting.name)} is {text!r}; it must be one of {', '.join(LOG_LEVELS)}")
    if isinstance(setting.default, Path):
        return Path(text)
    if isinstance(setting.default, str):
        return text
    lowest = 0 if setting.name == "port" else 1
    try:
        value = float(text) if isinstance(setting.default, float) else int(text)
        if not lowest <= value <= 65535:
            raise ValueError
    except ValueError:
        raise SettingsError(
            f"{variable(setting.name)} is {text!r}; it must be a number from {lowest} to 65535"
        ) from None
    return value
