"""Commands that are imported when they run: `--help` and the lists of groups need only a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Command:
    """One command: its one-line help, and its function as `module:name`; a group of commands has no function."""

    help: str
    target: str = ""
    is_hidden: bool = False


def load(target: str) -> Any:
    """Import the module of `module:name` and return the object."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


class LazyGroup(TyperGroup):
    """A group: the commands of `rows` with `path` and one more word as their full name."""

    rows: Mapping[str, Command]
    path: tuple[str, ...] = ()

    def list_commands(self, _ctx: Any) -> list[str]:
        """The names of the shown commands, in the order of the table."""
        return list(self._shown())

    def get_command(self, _ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Return the command `cmd_name`, None if absent. Only its module is imported."""
        path = (*self.path, cmd_name)
        row = self.rows.get(" ".join(path))
        if row is None:
            return None
        return command(cmd_name, load(row.target)) if row.target else self._group(path, row)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Resolve as Typer does, which suggests a name from `commands` for an unknown one."""
        self.commands = dict.fromkeys(self._shown())  # type: ignore[assignment] # only its keys are read
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as Typer does; without a command print the help to standard output and exit with status 2."""
        if not args:
            print(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write the names and their help without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._shown().items()))

    def _shown(self) -> dict[str, str]:
        """The help of each shown command of this group, by its name."""
        names = {tuple(name.split()): row for name, row in self.rows.items() if not row.is_hidden}
        return {path[-1]: row.help for path, row in names.items() if path[:-1] == self.path}

    def _group(self, path: tuple[str, ...], row: Command) -> "LazyGroup":
        group = type(self)(name=path[-1], help=row.help, rich_markup_mode=None)
        group.path = path
        return group


def command(name: str, function: Any) -> Any:
    """The command that Typer makes of `function`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name)(function)
    return typer.main.get_command(app)
