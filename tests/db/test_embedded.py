"""The embedded PostgreSQL: started by its first user, stopped by its last, however the others ended."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from db import embedded
from db.errors import Failed
from tests.waiting import wait_until

USER = """
import sys
from pathlib import Path
from db import embedded
from db.errors import Failed

with embedded.running(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""
"""A process that uses the server in a directory until its input ends."""


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A directory that the first test makes; the others find the server's data there."""
    with tempfile.TemporaryDirectory(prefix="ir-embedded-") as parent:
        yield Path(parent) / "not" / "yet"


@contextmanager
def another_user(directory: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process that uses the server in `directory`, and the URL that it got; in the end it exits by itself."""
    command = [sys.executable, "-W", "ignore", "-c", USER, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip(), process
        process.communicate(timeout=300)


def answers(url: str) -> bool:
    """True if there is a server at `url`."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_server_starts_and_stops_and_starts_again(directory: Path) -> None:
    """In one process and one directory: the rows of the first time are there the second time."""
    with embedded.running(directory) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    assert not answers(url)
    with embedded.running(directory) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (42,)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",), "it listens to the network"
    assert not answers(url)


def test_a_server_stops_when_its_user_raises(directory: Path) -> None:
    """The error propagates, and no server is left."""
    urls = []

    def use() -> None:
        with embedded.running(directory) as url:
            urls.append(url)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert not answers(urls[0])


def test_a_server_is_shared_by_two_uses_in_one_process(directory: Path) -> None:
    """The end of the inner use leaves it to the outer one."""
    with embedded.running(directory) as url:
        with embedded.running(directory) as inner_url:
            assert inner_url == url
        assert answers(url)
    assert not answers(url)


def test_a_server_outlives_the_process_that_started_it(directory: Path) -> None:
    """Two processes share it: the one that came first leaves first, and the last one stops it."""
    with another_user(directory) as (url, first):
        with embedded.running(directory) as shared_url:
            assert shared_url == url
            first.communicate(timeout=300)
            assert answers(url)
        assert not answers(url)


def test_a_server_outlives_a_process_that_came_later(directory: Path) -> None:
    """Two processes share it: the one that came last leaves first, and the other one stops it."""
    with embedded.running(directory) as url:
        with another_user(directory) as (shared_url, later):
            assert shared_url == url
            assert answers(url)
            later.communicate(timeout=300)
        assert answers(url)
    assert not answers(url)


def test_a_killed_process_does_not_keep_a_server_from_stopping(directory: Path) -> None:
    """A process that shared it and was killed no longer counts."""
    with embedded.running(directory) as url:
        with another_user(directory) as (_, killed):
            killed.kill()
        assert answers(url)
    assert not answers(url)


def test_a_server_is_taken_over_after_its_only_user_was_killed(directory: Path) -> None:
    """It keeps running; the next user gets it as it is, and stops it."""
    with another_user(directory) as (url, killed):
        killed.kill()
    assert answers(url)
    with embedded.running(directory) as shared_url:
        assert shared_url == url
        assert answers(url)
    assert not answers(url)


def test_a_server_can_be_used_off_the_main_thread(directory: Path) -> None:
    """Signals cannot be ignored there; it starts and stops all the same."""

    def use() -> str:
        with embedded.running(directory) as url:
            assert answers(url)
        return url

    with ThreadPoolExecutor(1) as threads:
        assert not answers(threads.submit(use).result())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_handled_as_before(directory: Path, number: signal.Signals) -> None:
    """A server, in use or stopped, does not change the signal handlers of its process."""

    def handle(*_: object) -> None:
        """Stand for any handler of the process."""

    before = signal.signal(number, handle)
    try:
        with embedded.running(directory):
            assert signal.getsignal(number) is handle
        assert signal.getsignal(number) is handle
    finally:
        signal.signal(number, before)


def test_the_pid_of_another_process_is_not_mistaken_for_the_server(directory: Path) -> None:
    """After a power loss the process id in the file may be any process's: it is left alone, and the server starts."""
    with embedded.running(directory):
        pass
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as innocent:
        lines = [innocent.pid, directory / "postgresql", 1, 5432, directory / "postgresql", "", "1 1", "ready"]
        (directory / "postgresql" / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))
        with embedded.running(directory) as url:
            assert answers(url)
        assert innocent.poll() is None
        innocent.kill()


def test_a_server_that_does_not_start_raises_failed(directory: Path) -> None:
    """The message names the data of another version, and the next start succeeds."""
    version = directory / "old" / "postgresql" / "PG_VERSION"
    version.parent.mkdir(parents=True)
    version.write_text("16")
    with pytest.raises(Failed, match=r"does not start: .*version"), embedded.running(directory / "old"):
        pass
    version.unlink()
    with embedded.running(directory / "old") as url:
        assert answers(url)


def test_a_server_that_is_kept_running_is_started_again(directory: Path) -> None:
    """However often its postmaster is killed, it soon answers at the same URL, with its rows; at the end it stops."""
    with embedded.running(directory, keep_running=True) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE committed AS SELECT 42 AS value")
        for _ in range(2):
            os.kill(int((directory / "postgresql" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            wait_until(lambda: not answers(url), seconds=10)
            wait_until(lambda: answers(url))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT value FROM committed").fetchone() == (42,)
    assert not answers(url)


def test_a_server_is_not_made_anew_without_its_data(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """If someone removes the data of a running server, no empty database takes their place; the log says so."""
    with embedded.running(directory / "gone", keep_running=True) as url:
        process = psutil.Process(int((directory / "gone" / "postgresql" / "postmaster.pid").read_text().split()[0]))
        shutil.rmtree(directory / "gone" / "postgresql")
        process.kill()
        wait_until(lambda: "has no data any longer" in caplog.text)
        assert not answers(url)
    assert not (directory / "gone" / "postgresql").exists()


def test_the_log_of_a_server_is_bounded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its former part is kept once, and the server goes on to write the file; failed statements are not in it."""
    monkeypatch.setattr(embedded, "LOG_BYTES", 2000)
    log = directory / "postgresql" / "log"
    with embedded.running(directory, keep_running=True) as url, psycopg.connect(url, autocommit=True) as connection:
        for number in range(100):
            with suppress(psycopg.errors.UndefinedTable):
                connection.execute(f"SELECT 'secret' FROM absent_{number}")  # noqa: S608 (written here)
        wait_until(lambda: log.with_name("log.1").exists() and log.stat().st_size < 2000)
        with suppress(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 'secret' FROM the_last_one")
        wait_until(lambda: "the_last_one" in log.read_text())
    assert "absent_99" in log.with_name("log.1").read_text() + log.read_text()
    assert "secret" not in log.with_name("log.1").read_text() + log.read_text()


def test_a_user_without_a_name_gets_the_remedy(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL refuses such a user, as containers often have, with words that help little."""
    monkeypatch.setattr(os, "geteuid", lambda: 65532)
    with (
        pytest.raises(Failed, match=r"user id 65532 has none in /etc/passwd: add the user, or set IR_DATABASE_URL"),
        embedded.running(directory),
    ):
        pass


def test_an_installation_without_the_package_gets_the_remedy(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers leave it out."""
    monkeypatch.setattr(embedded, "get_server", None)
    with pytest.raises(Failed, match=r"install the package with its extra"), embedded.running(directory):
        pass
