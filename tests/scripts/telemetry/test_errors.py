"""Errors to Sentry: each line at level error arrives once, and nothing that is secret does."""

import gzip
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sentry_sdk

from scripts.service import telemetry
from scripts.service.settings import Settings, SettingsError
from scripts.telemetry import errors, extras

KEY = "irk_" + "k" * 40


@contextmanager
def sentry() -> Iterator[tuple[str, list[str]]]:
    """The DSN of a server that takes what Sentry takes, and the bodies that it got."""
    bodies: list[str] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(
                gzip.decompress(body).decode() if self.headers["Content-Encoding"] == "gzip" else body.decode()
            )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://public@127.0.0.1:{server.server_port}/1", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def reporting(dsn: str) -> Iterator[None]:
    """Report to `dsn`, until the end of the block."""
    telemetry.report_errors(Settings(sentry_dsn=dsn))
    try:
        yield
    finally:
        errors.flush()
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)


def test_an_error_arrives_once_and_without_keys() -> None:
    """Not in its words, its extras, its exception; lines of lower levels stay here."""
    logger = logging.getLogger("scripts.test")
    with sentry() as (dsn, bodies):
        with reporting(dsn):
            telemetry.report_errors(Settings(sentry_dsn=dsn))  # as a single worker does
            logger.warning("a warning %s", KEY)
            secret = "in a variable"
            try:
                raise ValueError(f"the key {KEY} is wrong, {len(secret)}")
            except ValueError:
                logger.exception("a fault with %s", KEY, extra={"sent": f"Bearer {KEY}", "request_id": "r1"})
        items = [json.loads(line) for body in bodies for line in body.splitlines() if line]
    events = [item for item in items if "logentry" in item]
    assert len(bodies) == len(events) == 1
    assert events[0]["logentry"]["message"] == "a fault with %s"
    assert events[0]["extra"]["request_id"] == "r1"
    assert events[0]["exception"]["values"][0]["value"].startswith("the key irk_... is wrong")
    assert "a warning" not in bodies[0]
    assert KEY not in bodies[0]
    assert '"vars"' not in bodies[0]
    assert '"request":' not in bodies[0]


def test_without_the_setting_nothing_is_reported() -> None:
    """No client is made."""
    telemetry.report_errors(Settings())
    assert not sentry_sdk.get_client().is_active()


def test_a_malformed_dsn_is_refused() -> None:
    """In words, without the DSN."""
    with pytest.raises(SettingsError, match=r"IR_SENTRY_DSN is no DSN: it must be https://key@host/project"):
        telemetry.report_errors(Settings(sentry_dsn="sentry.example.com"))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module whose import fails as if the package were not installed."""
    (tmp_path / "needs_more.py").write_text("import package_that_is_absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    words = (
        r"IR_X is set, but the package of package_that_is_absent is not installed: unset it, or install '.*\[more\]'"
    )
    with pytest.raises(extras.MissingExtra, match=words):
        extras.imported("needs_more", "more", "IR_X")
