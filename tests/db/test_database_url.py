"""The database URL: what it may say, what it may not, and what it stands for."""

import pytest

from db.database_url import connect_seconds, parameters
from db.errors import Failed


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u:p@one:5432,two:5433/it", "one,two", "5432,5433"),
        ("postgresql://u:p@[::1]:5432,two/it", "::1,two", "5432,"),
        ("postgresql://u:p@/it?host=one,two&port=1,2", "one,two", "1,2"),
        ("postgres://one/it", "one", None),
        ("postgresql+psycopg://one/it", "one", None),
    ],
)
def test_hosts_are_named_before_the_slash_or_after_the_question_mark(url: str, host: str, port: str | None) -> None:
    """Both forms of libpq are known, with one host or several, and IPv6 in brackets."""
    named = parameters(url)
    assert (named["host"], named.get("port"), named["dbname"]) == (host, port, "it")


@pytest.mark.parametrize("written", ["p%40ss%25w%3Ard%2F%23%3F", "p%40ss%w:rd%2F#%3F"], ids=["encoded", "as it is"])
def test_a_password_may_have_any_character(written: str) -> None:
    """A percent sign that begins no %XX is itself."""
    assert parameters(f"postgresql://me:{written}@host/it")["password"] == "p@ss%w:rd/#?"


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("application_name", "hubs", "interaction-reporting"),
        ("connect_timeout", "7", "5"),
        ("keepalives_idle", "60", "5"),
        ("tcp_user_timeout", "1000", "15000"),
        ("sslmode", "verify-full", None),
        ("target_session_attrs", "read-write", "primary"),
    ],
)
def test_a_parameter_of_the_url_is_honoured(name: str, value: str, default: str | None) -> None:
    """It counts instead of the default."""
    assert parameters("postgresql://host/it").get(name) == default
    assert parameters(f"postgresql://host/it?{name}={value}")[name] == value


def test_a_url_names_the_seconds_of_each_connection() -> None:
    """Of several hosts each has less time, unless the URL says otherwise."""
    assert connect_seconds("postgresql://host/it") is None
    assert connect_seconds("postgresql://host/it?connect_timeout=3") == 3
    assert parameters("postgresql://one,two/it")["connect_timeout"] == "2"
    assert parameters("postgresql://one,two/it?connect_timeout=9")["connect_timeout"] == "9"


def test_options_of_the_url_are_sent_before_the_settings() -> None:
    """Both are in force; a setting that the URL gives its own value is no contradiction."""
    sent = parameters("postgresql://host/it?options=-csearch_path%3Dapp%20-c%20TimeZone%3Dutc")["options"]
    assert sent.startswith("-csearch_path=app -c TimeZone=utc -c default_transaction_isolation=read\\ committed ")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=red", "has the unknown parameter 'colour': correct or remove it"),
        ("sslmode=%zz", "cannot be read: write each special character after the host as %XX"),
        ("connect_timeout=0", "is '0': name 1 to 60 seconds"),
        ("connect_timeout=soon", "is 'soon': name 1 to 60 seconds"),
        ("client_encoding=latin1", "is 'latin1': only utf8 is supported"),
        ("target_session_attrs=any", "is 'any': every session of the service needs a server"),
        ("target_session_attrs=standby", "is 'standby': every session of the service needs a server"),
        ("replication=database", "has the parameter 'replication'"),
        (
            "options=-c%20synchronous_commit%3Doff",
            "set synchronous_commit to 'off', but the service needs 'on' (an acknowledged event is on disk): leave",
        ),
        ("options=--datestyle%3DGerman", "set DateStyle to 'German', but the service needs 'ISO, MDY'"),
        (
            "options=-cdefault_transaction_isolation%3Drepeatable%5C%20read",
            "set default_transaction_isolation to 'repeatable read'",
        ),
        ("options=-d%205", "has '-d': only settings of the form -c name=value are known"),
    ],
)
def test_a_parameter_with_which_the_service_cannot_work_is_refused(query: str, words: str) -> None:
    """The message names the parameter, and does not repeat the password."""
    with pytest.raises(Failed) as raised:
        parameters(f"postgresql://me:hunter2@host/it?{query}")
    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)
