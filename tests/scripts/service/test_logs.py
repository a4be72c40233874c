"""The log: one JSON object a line, in which no key ever stands."""

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from db import keys
from scripts.service import logs

KEY = keys.new()
LIBRARIES = ("connexion", "alembic")

Log = Callable[[str], None]
Lines = Callable[[], list[str]]

logger = logging.getLogger("tests.logs")


@pytest.fixture
def configure() -> Iterator[Log]:
    """Configures logging as the service does, and in the end puts it back as it was."""
    loggers = [logging.getLogger(), *map(logging.getLogger, LIBRARIES)]
    before = [(one, one.level, one.handlers[:]) for one in loggers]
    for handler in loggers[0].handlers[:]:
        loggers[0].removeHandler(handler)  # else configuring would close those of pytest
    yield logs.configure
    for one, level, handlers in before:
        one.setLevel(level)
        one.handlers[:] = handlers


def test_what_is_relied_on_of_the_standard_library_is_there() -> None:
    """Two names that are not public: of asyncio the loop, if one runs, and of logging where it looks for callers."""
    told = "{} is gone or another, on which scripts/service/logs.py relies"
    assert callable(getattr(asyncio, "_get_running_loop", None)), told.format("asyncio._get_running_loop")
    assert asyncio._get_running_loop() is None, told.format("asyncio._get_running_loop")
    source = getattr(logging, "_srcfile", "")
    assert source is None or source.endswith("__init__.py"), told.format("logging._srcfile")


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines on standard error since the last call; nothing is on standard output."""

    def read() -> list[str]:
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return read


def fail(words: str) -> None:
    """Raise an error of these words."""
    raise ValueError(words)


def test_a_line_is_one_json_object(configure: Log, lines: Lines) -> None:
    """It says when, how grave, which process, who and what, and everything that was added."""
    configure("info")
    logger.warning("%s happened\non two lines é", "it", extra={"status": 422, "path": '/"\n'})
    (line,) = lines()
    logged = json.loads(line)
    assert logged.pop("timestamp").endswith("+00:00")
    assert logged == {
        "level": "WARNING",
        "process": os.getpid(),
        "logger": "tests.logs",
        "event": "it happened\non two lines é",
        "status": 422,
        "path": '/"\n',
    }


def test_an_exception_is_part_of_its_line(configure: Log, lines: Lines) -> None:
    """A traceback has many lines, and the log still has one."""
    configure("info")
    try:
        fail("in words")
    except ValueError:
        logger.exception("it failed")
    (line,) = lines()
    assert json.loads(line)["event"] == "it failed"
    assert "Traceback" in json.loads(line)["exc_info"]
    assert "ValueError: in words" in json.loads(line)["exc_info"]


@pytest.mark.parametrize(
    ("message", "arguments", "extra"),
    [
        pytest.param(f"the key {KEY}", [], {}, id="message"),
        pytest.param("the key %s", [KEY], {}, id="argument"),
        pytest.param("the key %r", [{"key": KEY}], {}, id="within an argument"),
        pytest.param("the key", [], {"sent": KEY}, id="extra"),
        pytest.param("the key", [], {"sent": {"headers": [["Authorization", f"Bearer {KEY}"]]}}, id="within an extra"),
        pytest.param("the key", [], {"sent": {KEY: 1}}, id="name within an extra"),
        pytest.param("the key", [], {KEY: 1}, id="name of an extra"),
        pytest.param("the key", [], {"sent": ValueError(KEY)}, id="object"),
        pytest.param(f"/{KEY}/{KEY}?{KEY}", [], {}, id="several"),
        pytest.param(f'"{KEY}"\n\\{KEY}é', [], {}, id="beside what JSON escapes"),
    ],
)
def test_a_key_does_not_appear(
    configure: Log, lines: Lines, message: str, arguments: list[Any], extra: dict[str, Any]
) -> None:
    """Wherever in a line a key was put, its place shows that there was one, and the line is still JSON."""
    configure("info")
    logger.info(message, *arguments, extra=extra)
    (line,) = lines()
    assert KEY.removeprefix(keys.PREFIX) not in line
    assert "irk_..." in line
    assert json.loads(line)["level"] == "INFO"


def test_a_key_does_not_appear_in_the_texts_of_exceptions(configure: Log, lines: Lines) -> None:
    """Neither in that of the error, nor in that of the one before it."""
    configure("info")
    try:
        try:
            fail(f"first {KEY}")
        except ValueError:
            fail(f"then {KEY}")
    except ValueError:
        logger.exception("it failed", stack_info=True)
    (line,) = lines()
    assert KEY.removeprefix(keys.PREFIX) not in line
    assert "first irk_..." in line
    assert "then irk_..." in line


def test_every_key_is_recognised(configure: Log, lines: Lines) -> None:
    """Whatever characters a new key is made of, all of it is left out."""
    configure("info")
    for _ in range(200):
        logger.info("<%s>", keys.new())
    assert {json.loads(line)["event"] for line in lines()} == {"<irk_...>"}


def test_secrets_and_tokens_are_recognised(configure: Log, lines: Lines) -> None:
    """Those of clients, in whatever they stand."""
    configure("info")
    secret, token = keys.new(keys.CLIENT_PREFIX), "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl-_"
    logger.info("<%s> <%s>", secret, token)
    (line,) = lines()
    assert json.loads(line)["event"] == "<irs_...> <eyJ...>"


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("debug", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("info", ["INFO", "WARNING", "ERROR"]),
        ("warning", ["WARNING", "ERROR"]),
        ("error", ["ERROR"]),
    ],
)
def test_a_level_tells_what_is_as_grave_or_graver(configure: Log, lines: Lines, level: str, told: list[str]) -> None:
    """Of four lines, one of each level."""
    configure(level)
    for one in (logger.debug, logger.info, logger.warning, logger.error):
        one("line")
    assert [json.loads(line)["level"] for line in lines()] == told


@pytest.mark.parametrize("library", LIBRARIES)
def test_some_libraries_tell_nothing_short_of_the_worst(configure: Log, lines: Lines, library: str) -> None:
    """What they would tell, the service tells better."""
    configure("debug")
    for grave in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logging.getLogger(f"{library}.part").log(grave, "line")
    assert [json.loads(line)["level"] for line in lines()] == ["CRITICAL"]


def test_configuring_twice_tells_once(configure: Log, lines: Lines) -> None:
    """A second call replaces the first."""
    configure("info")
    configure("info")
    logger.info("line")
    assert len(lines()) == 1


def test_lines_are_held_for_a_moment_while_a_loop_runs(configure: Log, lines: Lines) -> None:
    """They are written together, soon, or at once with the first warning, and always in their order."""

    async def tell() -> None:
        logger.info("one")
        logger.info("two")
        assert lines() == []
        await asyncio.sleep(2 * logs.HELD_SECONDS)
        assert [json.loads(line)["event"] for line in lines()] == ["one", "two"]
        logger.info("three")
        logger.warning("four")
        assert [json.loads(line)["event"] for line in lines()] == ["three", "four"]
        for _ in range(logs.HELD_LINES):
            logger.info("many")
        assert len(lines()) == logs.HELD_LINES
        logger.info("last")

    configure("info")
    asyncio.run(tell())
    assert lines() == []
    logging.shutdown()
    assert [json.loads(line)["event"] for line in lines()] == ["last"]


def test_a_log_that_cannot_be_written_is_no_fault(configure: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, or when its reader is gone, lines are lost, and whoever logs goes on; later ones are written."""
    read, write = os.pipe()
    os.close(read)
    configure("info")
    with os.fdopen(write, "w") as broken:
        monkeypatch.setattr(logging.getLogger().handlers[0], "stream", broken)
        logger.warning("lost")
        with suppress(OSError):
            broken.close()
    logger.warning("lost, too")
    with tempfile.TemporaryFile("w+") as file:
        monkeypatch.setattr(logging.getLogger().handlers[0], "stream", file)
        logger.warning("written")
        file.seek(0)
        assert [json.loads(line)["event"] for line in file] == ["written"]
