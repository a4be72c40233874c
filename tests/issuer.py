"""An authorization server of others, as far as this service asks it: its metadata and its keys."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

METADATA = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


class Server:
    """Serves for each path its entry in `answers`: a status, headers and a body, or a JSON value; counts requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: Counter[str] = Counter()
        self.seconds = 0.0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked[self.path] += 1
                time.sleep(server.seconds)
                answer = server.answers.get(self.path, (404, {}, b""))
                status, headers, body = answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer).encode())
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def publish(self, *keys: Any, path: str = METADATA, issuer: str | None = None, **metadata: Any) -> None:
        """Publish `keys` and the metadata of their issuer."""
        public_keys = [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]
        self.answers["/keys"] = {"keys": public_keys}
        self.answers[path] = {"issuer": issuer or self.url, "jwks_uri": f"{self.url}/keys", **metadata}


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback."""
    http_server = Server()
    thread = threading.Thread(target=http_server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield http_server
    http_server.http.shutdown()
    thread.join()
    http_server.http.server_close()
