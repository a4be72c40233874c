"""A real browser without a window, driven by the Chrome DevTools Protocol over a pipe; and a web site for its pages."""

import io
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "chromium-headless-shell"
OPTIONS = (
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
)


class Browser:
    """A running browser; its tabs share what its pages store."""

    def __init__(self, requests: int, responses: io.BufferedReader) -> None:
        self._requests = requests
        self._responses = responses
        self._number = 0
        self._rest: list[bytes] = []
        self.events: list[dict[str, Any]] = []
        """What the browser has told, oldest first."""

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The result of a method of the protocol, of a tab with `session`; AssertionError if it fails."""
        number = self._send(method, session, parameters)
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> "Tab":
        """A new tab with a page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        tab.call("Network.enable")
        tab.call("Inspector.enable")
        tab.go(url)
        return tab

    def crash(self, tab: "Tab") -> None:
        """End the process of a tab, which has no time to do anything."""
        self._send("Page.crash", tab.session, {})
        while not any(event["method"] == "Inspector.targetCrashed" for event in self.events):
            self.events.append(self._read())

    def _send(self, method: str, session: str, parameters: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._requests, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        return self._number

    def _read(self) -> dict[str, Any]:
        while not self._rest:
            self._rest = [part for part in self._chunk().split(b"\0") if part]
        message: dict[str, Any] = json.loads(self._rest.pop(0))
        return message

    def _chunk(self) -> bytes:
        chunk = b""
        while not chunk.endswith(b"\0"):
            part = self._responses.read1(1 << 20)
            assert part, "the browser has ended"
            chunk += part
        return chunk


class Tab:
    """A tab of a browser."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self.session = session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method of the protocol."""
        return self._browser.call(method, self.session, **parameters)

    def run(self, code: str, **given: Any) -> Any:
        """What the body of an async function returns, which is given `given`; AssertionError if it throws."""
        expression = f"(async (given) => {{ {code} }})({json.dumps(given)})"
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def go(self, url: str) -> None:
        """Load another page in place of this one, which ends."""
        self.call("Page.navigate", url=url)
        ready = "new Promise((resolve) => addEventListener('load', resolve))"
        self.run(f"if (document.readyState !== 'complete') await {ready};")

    def close(self) -> None:
        """Close the tab, as a person does."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def requests(self) -> list[tuple[str, str]]:
        """The methods and URLs of the requests of its pages, with those that the browser makes by itself."""
        self.run("")  # to read what the browser has told
        return [
            (event["params"]["request"]["method"], event["params"]["request"]["url"])
            for event in self._browser.events
            if event["method"] == "Network.requestWillBeSent" and event["sessionId"] == self.session
        ]


class Site:
    """A web server of files, and of texts that a test gives by their paths."""

    def __init__(self, directory: Path) -> None:
        texts: dict[str, Callable[[], str]] = {}
        self.texts = texts

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                text = texts.get(self.path)
                if text is None:
                    return super().do_GET()
                body = text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(directory)))
        self.origin = f"http://localhost:{self.server.server_address[1]}"


@contextmanager
def serving(directory: Path) -> Iterator[Site]:
    """A site with the files of a directory, and a page."""
    site = Site(directory)
    site.texts["/"] = lambda: "<!doctype html><title>Page</title>"
    thread = threading.Thread(target=site.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own. Without one the test is skipped; in CI it fails."""
    program = shutil.which(PROGRAM)
    if program is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{PROGRAM} is not installed")
    theirs, ours = os.pipe()
    read, written = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, theirs, 3),
        (os.POSIX_SPAWN_DUP2, written, 4),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    command = [program, *OPTIONS, f"--user-data-dir={profile}"]
    process = os.posix_spawn(program, command, os.environ, file_actions=actions, setpgroup=0)
    os.close(theirs)
    os.close(written)
    try:
        with os.fdopen(read, "rb") as responses:
            yield Browser(ours, responses)
    finally:
        os.close(ours)
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
