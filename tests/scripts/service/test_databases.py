"""The configured database: its opening, its creation, never by mistake, and the remedies in errors."""

from pathlib import Path

import pytest

from db.errors import Failed, Refused, Unavailable
from scripts.service import databases
from scripts.service.databases import connected, database, remedied
from scripts.service.settings import Settings

URL = "postgresql://me:hunter2@host/it"


def test_a_command_creates_no_database(tmp_path: Path) -> None:
    """The error names the data directory without a database and the remedy; the directory stays empty."""
    with pytest.raises(Refused) as raised, database(Settings(data_dir=tmp_path)):
        pass
    assert str(raised.value) == (
        f"there is no database in {tmp_path}: set IR_DATA_DIR to another directory, IR_DATABASE_URL to a server, "
        "or create a database here with 'interaction-reporting migrate' or 'serve'"
    )
    assert not list(tmp_path.iterdir())


def test_the_error_has_the_whole_path_of_a_relative_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.data` alone would be ambiguous."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match=f"there is no database in {tmp_path}/.data: "), database(Settings()):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("opening", [connected, database], ids=["migrate", "another command"])
def test_a_file_is_no_data_directory(tmp_path: Path, opening: databases.Opening) -> None:
    """The error names the setting, its value, and the remedy."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(Refused) as raised, opening(Settings(data_dir=file)):
        pass
    assert str(raised.value) == (
        f"IR_DATA_DIR is '{file}', which cannot be used (File exists): name a directory that this user may write to, "
        "or set IR_DATABASE_URL to use a server"
    )


def test_a_data_directory_that_cannot_be_created_is_refused() -> None:
    """No user can create a directory in /proc."""
    with (
        pytest.raises(Refused, match=r"^IR_DATA_DIR is '/proc/nope/data', which cannot be used \(No such file"),
        connected(Settings(data_dir=Path("/proc/nope/data"))),
    ):
        pass


@pytest.mark.parametrize("name", ["sp ace", "qu'ote", "dol$lar", "per%cent", "back\\slash", "not\udcffutf8"])
def test_a_data_directory_that_postgresql_cannot_use_is_refused(tmp_path: Path, name: str) -> None:
    """The error has the character."""
    with (
        pytest.raises(Refused, match=r"the embedded PostgreSQL takes no .* in its path"),
        connected(Settings(data_dir=tmp_path / name)),
    ):
        pass


def test_a_data_directory_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system reports it before PostgreSQL would."""
    monkeypatch.setattr("os.access", lambda *_: False)
    with (
        pytest.raises(Refused, match=r"which cannot be used \(Permission denied\): name a directory"),
        connected(Settings(data_dir=tmp_path)),
    ):
        pass


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ('FATAL: password authentication failed for user "me"', "correct the user and the password in IR_DATABASE_URL"),
        ("fe_sendauth: no password supplied", "put the password into IR_DATABASE_URL"),
        ('FATAL: role "me" does not exist', "correct the user in IR_DATABASE_URL, or create the role"),
        ('FATAL: database "it" does not exist', "create the database, or name another one in IR_DATABASE_URL"),
        ("failed to resolve host 'host': [Errno -2] Name or service not known", "correct the host in IR_DATABASE_URL"),
        (
            'connection to server at "::1", port 1 failed: Connection refused',
            "correct host and port in IR_DATABASE_URL",
        ),
        ("connection timeout expired", "correct host and port in IR_DATABASE_URL"),
        ('invalid connection option "sslmod"', "correct the options after the question mark in IR_DATABASE_URL"),
        ("server does not support SSL, but SSL was required", "correct sslmode in IR_DATABASE_URL"),
        ('FATAL: permission denied for database "it"', "grant the role CONNECT on the database"),
        (
            'FATAL: too many connections for role "me"',
            "allow the server or the role more connections, or lower IR_CONNECTIONS and IR_WORKERS",
        ),
    ],
)
def test_an_error_of_the_server_names_the_setting_and_the_remedy(words: str, remedy: str) -> None:
    """The error keeps libpq's words, and names the setting without its value, which has the password."""
    with pytest.raises(Unavailable) as raised, remedied(Settings(database_url=URL)):
        raise Unavailable(words)
    assert str(raised.value).startswith(f"the database of IR_DATABASE_URL cannot be reached: {words}; ")
    assert remedy in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(("sqlstate", "remedy"), databases.STATEMENTS.items())
def test_an_error_of_a_statement_has_its_remedy(sqlstate: str, remedy: str) -> None:
    """Only the error of a configured server has one; the embedded server is the service's own."""
    with pytest.raises(Failed, match=f"^Any, {sqlstate}: {remedy}$"), remedied(Settings(database_url=URL)):
        raise Unavailable(f"Any, {sqlstate}")
    with pytest.raises(Unavailable, match=f"^Any, {sqlstate}$"), remedied(Settings()):
        raise Unavailable(f"Any, {sqlstate}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "is not of the form postgresql://user:password@host:port/database"),
        ("mysql://me:hunter2@host/it", "begins with mysql://; only postgresql:// is supported"),
        ("postgresql://me:hunter@2@host/it", "has one @ too many: write an @ in the user or the password as %40"),
    ],
)
def test_the_error_names_the_setting_of_a_wrong_url(url: str, words: str) -> None:
    """It does not repeat the URL, which has a password."""
    with pytest.raises(Failed) as raised, connected(Settings(database_url=url)):
        pass
    assert str(raised.value) == f"IR_DATABASE_URL cannot be used: the database URL {words}"


@pytest.mark.parametrize(
    ("change", "remedy"),
    [("/no_such_database?", "create the database"), ("@127.0.0.1:1/it?", "check that PostgreSQL runs")],
    ids=["unknown database", "unreachable"],
)
def test_a_real_failure_has_a_remedy(embedded_url: str, change: str, remedy: str) -> None:
    """The installed libpq uses the words that the remedies match."""
    url = f"postgresql://postgres:hunter2{change if '@' in change else '@' + change}"
    url += "" if "127.0.0.1" in change else embedded_url.partition("?")[2]
    with pytest.raises(Unavailable) as raised, database(Settings(database_url=url)):
        pass
    assert remedy in str(raised.value)
    assert "hunter2" not in str(raised.value)
