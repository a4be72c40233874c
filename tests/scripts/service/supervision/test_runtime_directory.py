"""What the processes of a service share."""

import fcntl
import logging
import multiprocessing
from pathlib import Path

import pytest

from scripts.service.supervision.runtime_directory import OF_SYSTEMD, SharedFile, runtime_directory

SPAWN = multiprocessing.get_context("spawn")


def write(path: Path, _file: SharedFile) -> None:
    """Write to a shared file in another process."""
    path.write_text("written elsewhere")


@pytest.fixture(autouse=True)
def _without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OF_SYSTEMD, raising=False)


def test_the_directory_is_removed_at_the_end(tmp_path: Path) -> None:
    """It is made in the usual directory, which stays, and each service has its own."""
    with runtime_directory("", tmp_path / "run") as first, runtime_directory("", tmp_path / "run") as second:
        assert first.parent == second.parent == tmp_path / "run"
        assert first != second
    assert list((tmp_path / "run").iterdir()) == []


def test_the_setting_comes_before_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systemd may name several directories: the first one is taken."""
    monkeypatch.setenv(OF_SYSTEMD, f"{tmp_path}/systemd:{tmp_path}/other")
    with runtime_directory(f"{tmp_path}/setting", tmp_path / "usual") as directory:
        assert directory.parent == tmp_path / "setting"
    with runtime_directory("", tmp_path / "usual") as directory:
        assert directory.parent == tmp_path / "systemd"


def test_a_setting_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """The error names the directory and the reason."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(OSError, match=r"the runtime directory '.*/file/run' cannot be used: Not a directory"),
        runtime_directory(f"{tmp_path}/file/run", tmp_path),
    ):
        pass


def test_without_a_setting_another_place_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the usual directory cannot be made, as in a read-only root, the temporary directory is used and logged."""
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING), runtime_directory("", tmp_path / "file" / "run") as directory:
        assert directory.is_dir()
    assert "Not a directory" in caplog.text


def test_directories_of_killed_services_are_removed(tmp_path: Path) -> None:
    """Nobody holds their lock; those of running services stay."""
    (tmp_path / "service-killed").mkdir()
    (tmp_path / "service-killed" / "lock").touch()
    (tmp_path / "service-running").mkdir()
    with (tmp_path / "service-running" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with runtime_directory("", tmp_path):
            assert not (tmp_path / "service-killed").exists()
            assert (tmp_path / "service-running").exists()


def test_a_worker_opens_a_shared_file_by_its_path() -> None:
    """It has inherited the descriptor, and the file has no name that could be removed."""
    file = SharedFile("shared")
    worker = SPAWN.Process(target=write, args=(file.path, file))
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    assert file.path.read_text() == "written elsewhere"
    assert str(file.path.readlink()) == "/memfd:shared (deleted)"
    file.close()
    assert not file.path.exists()
