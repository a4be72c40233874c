"""The log: one JSON object per line, without any key."""

import asyncio
import itertools
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
from tests.waiting import wait_until

KEY = keys.new()
LIBRARIES = ("connexion", "alembic")

LOST = "lines of the log were lost, because they could not be written"

Log = Callable[[str], None]
Lines = Callable[[], list[str]]

logger = logging.getLogger("tests.logs")


@pytest.fixture
def configure() -> Iterator[Log]:
    """Configures logging as the service does, and restores it at the end."""
    loggers = [logging.getLogger(), *map(logging.getLogger, LIBRARIES)]
    before = [(each, each.level, each.handlers[:]) for each in loggers]
    for handler in loggers[0].handlers[:]:
        loggers[0].removeHandler(handler)  # or configuring would close those of pytest
    yield logs.configure
    for each, level, handlers in before:
        each.setLevel(level)
        each.handlers[:] = handlers


def test_the_standard_library_has_the_private_names() -> None:
    """The log uses two: asyncio's running loop, and the file that logging skips when it looks for callers."""
    message = "{} has changed or is gone; scripts/service/logs.py relies on it"
    assert callable(getattr(asyncio, "_get_running_loop", None)), message.format("asyncio._get_running_loop")
    assert asyncio._get_running_loop() is None, message.format("asyncio._get_running_loop")
    source = getattr(logging, "_srcfile", "")
    assert source is None or source.endswith("__init__.py"), message.format("logging._srcfile")


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines that were written to standard error since the last call; nothing is on standard output."""

    def read() -> list[str]:
        handler_of_the_log().writer.drain()
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return read


def handler_of_the_log() -> logs.Handler:
    """The one that `configure` has set up."""
    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each, logs.Handler)]
    return handler


def fail(words: str) -> None:
    """Raise an error of these words."""
    raise ValueError(words)


def test_a_line_is_one_json_object(configure: Log, lines: Lines) -> None:
    """It has the time, level, process, logger and message, and every extra field."""
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
        pytest.param(f'"{KEY}"\n\\{KEY}é', [], {}, id="next to JSON escapes"),
    ],
)
def test_a_key_does_not_appear(
    configure: Log, lines: Lines, message: str, arguments: list[Any], extra: dict[str, Any]
) -> None:
    """Anywhere in a line a key is replaced by a mark, and the line is still JSON."""
    configure("info")
    logger.info(message, *arguments, extra=extra)
    (line,) = lines()
    assert KEY.removeprefix(keys.PREFIX) not in line
    assert "irk_..." in line
    assert json.loads(line)["level"] == "INFO"


def test_a_key_does_not_appear_in_the_texts_of_exceptions(configure: Log, lines: Lines) -> None:
    """It is in neither the text of the error nor that of its cause."""
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


def test_the_log_recognises_every_key(configure: Log, lines: Lines) -> None:
    """All of a new key is left out, whatever its characters."""
    configure("info")
    for _ in range(200):
        logger.info("<%s>", keys.new())
    assert {json.loads(line)["event"] for line in lines()} == {"<irk_...>"}


def test_the_log_recognises_secrets_and_tokens(configure: Log, lines: Lines) -> None:
    """It leaves out those of clients, inside other text."""
    configure("info")
    secret, token = keys.new(keys.CLIENT_PREFIX), "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl-_"
    logger.info("<%s> <%s>", secret, token)
    (line,) = lines()
    assert json.loads(line)["event"] == "<irs_...> <eyJ...>"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("info", ["INFO", "WARNING", "ERROR"]),
        ("warning", ["WARNING", "ERROR"]),
        ("error", ["ERROR"]),
    ],
)
def test_a_level_shows_itself_and_higher_levels(configure: Log, lines: Lines, level: str, expected: list[str]) -> None:
    """The test logs four lines, one for each level."""
    configure(level)
    for log in (logger.debug, logger.info, logger.warning, logger.error):
        log("line")
    assert [json.loads(line)["level"] for line in lines()] == expected


@pytest.mark.parametrize("library", LIBRARIES)
def test_some_libraries_log_only_critical_records(configure: Log, lines: Lines, library: str) -> None:
    """The service logs the same events better."""
    configure("debug")
    for severity in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logging.getLogger(f"{library}.part").log(severity, "line")
    assert [json.loads(line)["level"] for line in lines()] == ["CRITICAL"]


def test_configuring_twice_logs_once(configure: Log, lines: Lines) -> None:
    """A second call replaces the first."""
    configure("info")
    configure("info")
    logger.info("line")
    assert len(lines()) == 1


def test_the_handler_holds_lines_briefly_while_a_loop_runs(
    configure: Log, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes them together, soon, or at once with the first warning, and always in their order."""

    async def log_lines() -> None:
        logger.info("one")
        logger.info("two")
        assert lines() == []
        await asyncio.sleep(2 * logs.HELD_SECONDS)
        assert [json.loads(line)["event"] for line in lines()] == ["one", "two"]
        monkeypatch.setattr(logs, "HELD_SECONDS", 600)  # however long the rest takes, no timer is due
        logger.info("three")
        logger.warning("four")
        assert [json.loads(line)["event"] for line in lines()] == ["three", "four"]
        for _ in range(logs.HELD_LINES):
            logger.info("many")
        assert len(lines()) == logs.HELD_LINES
        logger.info("last")

    configure("info")
    asyncio.run(log_lines())
    assert lines() == []
    logging.shutdown()
    assert [json.loads(line)["event"] for line in lines()] == ["last"]


def test_a_log_that_cannot_be_written_raises_nothing(configure: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, or without a reader, lines are lost and the caller goes on; later lines are written."""
    read, write = os.pipe()
    os.close(read)
    configure("info")
    monkeypatch.setattr(logs, "REPORT_SECONDS", 0)
    writer = handler_of_the_log().writer
    with os.fdopen(write, "w") as broken:
        monkeypatch.setattr(writer, "stream", broken)
        logger.warning("lost")
        writer.drain()
        with suppress(OSError):
            broken.close()
    logger.warning("lost, too")
    writer.drain()
    with tempfile.TemporaryFile("w+") as file:
        monkeypatch.setattr(writer, "stream", file)
        logger.warning("written")
        writer.drain()
        file.seek(0)
        first, second = [json.loads(line) for line in file]
    assert (first["event"], second["event"]) == ("written", LOST)
    assert second["lost_since_start"] >= 2  # and reports of them


def test_a_reader_that_stalls_holds_nothing_up(configure: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers go on while a pipe is full; then the lines come in order, and one says how many were lost."""
    read, write = os.pipe()
    configure("info")
    writer = handler_of_the_log().writer
    with os.fdopen(write, "w") as pipe, os.fdopen(read) as reader:
        monkeypatch.setattr(writer, "stream", pipe)
        for number in range(20_000):
            logger.info("line %d", number)
        lost = writer.dropped
        logging.shutdown()  # waits a moment, and goes on
        # A service of another test may log a request at any time.
        written = (line for line in map(json.loads, reader) if line["event"] != "request")
        lines: list[dict[str, Any]] = list(itertools.islice(written, 20_000 - lost))
        wait_until(lambda: not writer.is_full)
        logger.info("last")
        rest = list(itertools.islice(written, 2))
    assert lost > 1000
    assert [line["event"] for line in lines] == [f"line {number}" for number in range(len(lines))]
    assert [line["event"] for line in rest] == ["last", LOST]
    assert rest[1]["lost_since_start"] == lost
