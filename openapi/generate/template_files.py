"""The texts of generated files; a template writes what it is given as it is."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(name: str, values: Mapping[str, Any]) -> str:
    """The file that the template `name` makes of `values`."""
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    return Environment(  # noqa: S701 - it is code, not HTML: its values are made harmless before
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
