"""Modules that need packages of an extra of the project: they are imported only if a setting asks for them."""

import importlib
from typing import Any


class MissingExtra(RuntimeError):
    """A setting asks for packages that are not installed."""


def imported(module: str, extra: str, setting: str) -> Any:
    """The `module`; MissingExtra if a package of its `extra` is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{setting} is set, but the package of {error.name} is not installed: unset it, or install "
            f"'interaction-reporting[{extra}]'"
        ) from None
