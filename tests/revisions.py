"""Releases that have more revisions than this one, each with one statement."""

from pathlib import Path

from db.release import RELEASE, VERSIONS, Release

_FILE = '''"""A revision of a test."""

from alembic import op

from db import migration_steps

revision, down_revision = {revision!r}, {before!r}
KIND = "{kind}"


def upgrade() -> None:
    {upgrade}
'''


def later_release(directory: Path, *revisions: tuple[str, str]) -> Release:
    """The release after this one, with `revisions`: the kind of each, and its Python. Their files go to `directory`."""
    before = RELEASE.revisions[-1]
    for number, (kind, upgrade) in enumerate(revisions, int(before) + 1):
        revision = f"{number:04}"
        text = _FILE.format(revision=revision, before=before, kind=kind, upgrade=upgrade)
        (directory / f"{revision}_of_a_test.py").write_text(text)
        before = revision
    return Release(VERSIONS, directory)


def statement(ddl: str) -> str:
    """The statement in Python that executes `ddl`."""
    return f"op.execute({ddl!r})"


NEXT_RELEASE = (
    "import sys; from pathlib import Path; from db import release; "
    "release.RELEASE = release.Release(release.VERSIONS, Path(sys.argv.pop(1))); "
    "from scripts import cli; cli.main()"
)
"""The command line of a later release; its first argument is the directory of `later_release`."""
