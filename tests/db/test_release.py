"""The revisions of a release: each has its kind, and those that contract wait for their turn."""

from pathlib import Path

import pytest

from db.errors import Refused
from db.release import BEFORE, CONTRACT, EXPAND, RELEASE, VERSIONS, Release
from tests.revisions import later_release

HEAD = RELEASE.revisions[-1]
FIRST, SECOND, THIRD = (f"{int(HEAD) + number:04}" for number in (1, 2, 3))


def test_each_revision_has_its_kind() -> None:
    """Those since the distinction expand or contract; only those of the time before it are `before`."""
    assert [revision for revision, kind in RELEASE.kinds.items() if kind == BEFORE] == [
        f"{number:04}" for number in range(1, 15)
    ]
    assert set(RELEASE.kinds.values()) <= {BEFORE, EXPAND, CONTRACT}


def test_those_that_contract_are_the_last_of_this_release() -> None:
    """Otherwise `migrate` would refuse to upgrade to it from the release before."""
    kinds = list(RELEASE.kinds.values())
    assert CONTRACT not in kinds[: len(RELEASE.missing(None))]


def test_a_revision_without_a_kind_is_refused(tmp_path: Path) -> None:
    """The message names the file, and the line to add."""
    (tmp_path / "0099_unkind.py").write_text('revision = "0099"\n')
    with pytest.raises(Refused, match=r'0099_unkind\.py does not say its kind: add KIND = "expand" or "contract"'):
        _ = Release(VERSIONS, tmp_path).kinds


def test_a_revision_that_contracts_waits(tmp_path: Path) -> None:
    """Until it is requested; an empty database has nothing to lose, and gets it at once."""
    release = later_release(tmp_path, (EXPAND, "pass"), (CONTRACT, "pass"))
    assert release.next_steps(HEAD, contract=False) == [FIRST]
    assert release.next_steps(HEAD, contract=True) == [FIRST, SECOND]
    assert release.next_steps(None, contract=False) == release.revisions
    assert (release.missing(FIRST), release.contracting(FIRST)) == ([], [SECOND])
    assert release.next_steps(FIRST, contract=False) == []
    assert release.next_steps(SECOND, contract=False) == []


def test_one_that_expands_after_one_that_contracts_is_refused(tmp_path: Path) -> None:
    """History is a line: the message says which revisions, and the command to run first."""
    release = later_release(tmp_path, (EXPAND, "pass"), (CONTRACT, "pass"), (EXPAND, "pass"))
    with pytest.raises(Refused) as raised:
        release.next_steps(HEAD, contract=False)
    assert str(raised.value) == (
        f"revision {THIRD} follows {SECOND}, which contracts the tables: once no replica of an earlier release runs, "
        "run 'interaction-reporting migrate --contract'"
    )
    assert release.next_steps(HEAD, contract=True) == [FIRST, SECOND, THIRD]
    assert release.next_steps(SECOND, contract=False) == [THIRD]
