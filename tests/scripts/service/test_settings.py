"""The settings: the accepted values of the environment, and the errors for others."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from openapi.generate.openapi_generator.recipes import LANGUAGES
from scripts.service.settings import Settings, SettingsError, table, variable


def test_without_variables_every_setting_has_its_default() -> None:
    """Other variables, and names without the prefix, are ignored."""
    assert Settings.read({"HOME": "/root", "PORT": "1", "ir_port": "2"}) == Settings()


@pytest.mark.parametrize("name", [name for name, _, _ in table()])
def test_an_empty_variable_is_refused(name: str) -> None:
    """An empty string that a deployment leaves behind does not stand for the default."""
    with pytest.raises(SettingsError, match=f"{name} is empty"):
        Settings.read({name: ""})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("IR_PROT", "IR_PROT is not a setting; did you mean IR_PORT?"),
        ("IR_X_Y_Z_QQQQ", "IR_X_Y_Z_QQQQ is not a setting"),
    ],
)
def test_an_unknown_variable_is_refused(name: str, words: str) -> None:
    """The error names a misspelled setting, and the probable right one."""
    with pytest.raises(SettingsError) as raised:
        Settings.read({name: "1"})
    assert str(raised.value) == words


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("database_url", "postgresql://me@host/it", "postgresql://me@host/it"),
        ("data_dir", "/srv/data", Path("/srv/data")),
        ("host", "::", "::"),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("workers", "2", 2),
        ("connections", "1", 1),
        ("database_timeout", "2.5", 2.5),
        ("head_timeout", "1", 1.0),
        ("body_timeout", "3", 3.0),
        ("keep_alive", "5", 5),
        ("drain_timeout", "7", 7),
        ("retention", "90", 90),
        ("log_level", "warning", "warning"),
        ("operator_key", "0123456789abcdef", "0123456789abcdef"),
        ("server_timing", "on", True),
        ("tools", "everybody", "everybody"),
        ("client_languages", "go", ("go",)),
        ("client_languages", " java,go  swift6,go, ", ("java", "go", "swift6")),
    ],
)
def test_a_variable_sets_only_its_setting(name: str, text: str, value: Any) -> None:
    """The setting has the value, in the type of its default, and all the others have their defaults."""
    settings = Settings.read({variable(name): text})
    change = {name: value}
    assert settings == dataclasses.replace(Settings(), **change)
    assert type(getattr(settings, name)) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("port", "http", "a whole number from 0 to 65535"),
        ("port", "-1", "a whole number from 0 to 65535"),
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", "80.5", "a whole number from 0 to 65535"),
        ("workers", "0", "a whole number from 1 to 256"),
        ("connections", "many", "a whole number from 1 to 256"),
        ("database_timeout", "0.9", "a number from 1 to 3600"),
        ("head_timeout", "nan", "a number from 1 to 3600"),
        ("body_timeout", "inf", "a number from 1 to 3600"),
        ("retention", "0", "a whole number from 1 to 36500"),
        ("log_level", "loud", "one of debug, info, warning, error"),
        ("log_level", "INFO", "one of debug, info, warning, error"),
        ("server_timing", "yes", "one of on, off"),
    ],
)
def test_a_wrong_value_is_refused(name: str, text: str, words: str) -> None:
    """The error names the variable, its value, and the accepted values."""
    with pytest.raises(SettingsError) as raised:
        Settings.read({variable(name): text})
    assert str(raised.value) == f"IR_{name.upper()} is '{text}'; it must be {words}"


def test_a_short_key_is_refused_and_not_repeated() -> None:
    """The error has its length; the settings do not show a key that is long enough, either."""
    with pytest.raises(SettingsError) as raised:
        Settings.read({"IR_OPERATOR_KEY": "0123456789abcde"})
    assert str(raised.value) == "IR_OPERATOR_KEY has 15 characters; it must have at least 16"
    assert "0123456789abcdef" not in repr(Settings.read({"IR_OPERATOR_KEY": "0123456789abcdef"}))


def test_the_table_has_every_setting() -> None:
    """Each has a row with its variable, its default as an operator would write it, and a purpose."""
    rows = table()
    assert [name for name, _, _ in rows] == [variable(setting.name) for setting in dataclasses.fields(Settings)]
    assert all(purpose for _, _, purpose in rows)
    assert Settings.read({name: default for name, default, _ in rows if default}) == Settings()


def test_settings_do_not_change() -> None:
    """They are read once: no code can set them afterwards."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Settings(), "port", 1)  # noqa: B010 (as an assignment it would not pass mypy)


def test_tools_for_operators_need_their_key() -> None:
    """Without it the tools would have no caller."""
    with pytest.raises(SettingsError, match=r"^IR_TOOLS is 'operators': that needs IR_OPERATOR_KEY$"):
        Settings.read({"IR_TOOLS": "operators"})
    assert Settings.read({"IR_TOOLS": "operators", "IR_OPERATOR_KEY": "k" * 16}).tools == "operators"


@pytest.mark.parametrize(("text", "wrong"), [("go,cobol", "cobol"), ("Go", "Go"), ("go;java", "go;java"), (",", "")])
def test_an_unknown_language_is_refused(text: str, wrong: str) -> None:
    """The error names all that there are: those that there is a recipe for."""
    with pytest.raises(SettingsError) as raised:
        Settings.read({"IR_CLIENT_LANGUAGES": text})
    known = ", ".join(LANGUAGES)
    assert str(raised.value) == f"IR_CLIENT_LANGUAGES has {wrong!r}; it may have {known}, separated by spaces or commas"
