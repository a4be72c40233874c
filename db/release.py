"""The revisions of a release: their order, and whether each expands the tables or contracts them.

They are read without Alembic, which takes longer to load than most commands run.
"""

import re
from functools import cached_property
from pathlib import Path

from db.errors import Refused

VERSIONS = Path(__file__).parent / "migrations" / "versions"

EXPAND = "expand"
"""The release before works on it: a revision of this kind only adds."""
CONTRACT = "contract"
"""Only releases that know it work on it. It waits for `migrate --contract`."""
BEFORE = "before"
"""Of the time before this distinction."""

_KIND = re.compile(rf'^KIND = "({EXPAND}|{CONTRACT}|{BEFORE})"$', re.MULTILINE)


class Release:
    """The migrations in some directories. The name of each file begins with its revision, `0001_first_tables`."""

    def __init__(self, *directories: Path) -> None:
        self.directories = directories
        self._files = {
            path.name.split("_")[0]: path
            for path in sorted(
                (path for directory in directories for path in directory.glob("[0-9]*.py")), key=lambda path: path.name
            )
        }

    @property
    def revisions(self) -> list[str]:
        """The revisions, newest last."""
        return list(self._files)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each revision; Refused if a file has none."""
        return {revision: _kind(path) for revision, path in self._files.items()}

    def until(self, revision: str) -> "Release":
        """The earlier release whose newest revision was `revision`."""
        release = Release(*self.directories)
        release._files = dict(list(self._files.items())[: self.revisions.index(revision) + 1])
        return release

    def after(self, current: str | None) -> list[str]:
        """The revisions that a database at `current` lacks; without a revision it lacks all."""
        return self.revisions[0 if current is None else self.revisions.index(current) + 1 :]

    def missing(self, current: str | None) -> list[str]:
        """The revisions after `current` that this release needs: those that do not contract."""
        return [revision for revision in self.after(current) if self.kinds[revision] != CONTRACT]

    def contracting(self, current: str | None) -> list[str]:
        """The revisions after `current` that contract."""
        return [revision for revision in self.after(current) if self.kinds[revision] == CONTRACT]

    def next_steps(self, current: str | None, contract: bool) -> list[str]:
        """The revisions to run on a database at `current`: an empty one gets all, others contract only on request.

        Refused if one that expands follows one that contracts, which was not requested: history is a line.
        """
        missing, contracting = self.missing(current), self.contracting(current)
        if current is None or contract or not contracting:
            return self.after(current)
        if missing != self.after(current)[: len(missing)]:
            raise Refused(
                f"revision {missing[-1]} follows {contracting[0]}, which contracts the tables: once no replica of an "
                "earlier release runs, run 'interaction-reporting migrate --contract'"
            )
        return missing


RELEASE = Release(VERSIONS)
"""This release."""


def _kind(path: Path) -> str:
    if (found := _KIND.search(path.read_text())) is None:
        raise Refused(f'the migration {path.name} does not say its kind: add KIND = "{EXPAND}" or "{CONTRACT}"')
    return found[1]
