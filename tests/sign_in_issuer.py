"""An issuer that signs in people (OpenID Connect), on loopback: a browser that comes to it is somebody at once."""

import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, Key
from sqlalchemy import text

from handlers.security import issuers
from scripts.service.serve import THE_SERVICE
from tests.examples import NEWEST
from tests.page_admins import AdminBrowser, browsing
from tests.postgresql import fresh_database
from tests.service import Service, running
from tests.tokens import encoded, from_afar

CLIENT_ID, SECRET = "the service", "s3cret:of+the client"
CONFIGURATION = "/.well-known/openid-configuration"


class SignInIssuer:
    """Signs in a subject with `claims`; what it does otherwise than it should is in its attributes. Counts requests."""

    def __init__(self) -> None:
        self.behave()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                keys = {"keys": [issuer.key.as_dict(private=False)]}
                documents = {CONFIGURATION: issuer.configuration(), "/keys": keys}
                self.answer(200 if self.path in documents else 404, documents.get(self.path, {}))

            def do_POST(self) -> None:
                issuer.asked[self.path] += 1
                form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
                issuer.forms.append(form)
                status, content = issuer.token_answer or issuer.tokens(form, self.headers.get("authorization"))
                self.answer(status, content)

            def answer(self, status: int, body: Any) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if status == 302:
                    self.send_header("Location", f"{issuer.url}/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_port}"
        self.url = f"http://{self.host}"

    def behave(self) -> None:
        """Do everything as it should be from now on, and forget the requests."""
        self.key: Key = ECKey.generate_key("P-256", {"kid": "a"})
        self.signs_with: Key | None = None
        self.algorithm = "ES256"
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.token_answer: tuple[int, bytes] | None = None
        self.asked: Counter[str] = Counter()
        self.codes: dict[str, dict[str, str]] = {}
        self.forms: list[dict[str, str]] = []

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a service that has it."""
        return {
            "IR_ADMIN_OIDC_ISSUER": self.url,
            "IR_ADMIN_OIDC_CLIENT_ID": CLIENT_ID,
            "IR_ADMIN_OIDC_CLIENT_SECRET": SECRET,
        }

    def configuration(self) -> dict[str, Any]:
        """Its metadata."""
        endpoints = {"authorization_endpoint": "/authorize?tenant=a b", "token_endpoint": "/token", "jwks_uri": "/keys"}
        urls = {name: self.url + path for name, path in endpoints.items()}
        return {"issuer": self.url, **urls, **self.metadata}

    def authorized(self, location: str, **changes: str) -> str:
        """The query that it leads a browser back with, which came to `location`; `changes` are to that query."""
        query = dict(parse_qsl(urlsplit(location).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.url, **changes}
        return str(httpx.QueryParams({name: value for name, value in answer.items() if value}))

    def tokens(self, form: dict[str, str], authorization: str | None) -> tuple[int, bytes]:
        """The answer to a token request (OpenID Connect Core section 3.1.3.3)."""
        credentials = b64decode((authorization or "").removeprefix("Basic ")).decode().split(":")
        if [unquote_plus(part) for part in credentials] != [CLIENT_ID, SECRET]:
            return 401, b'{"error": "invalid_client"}'
        query = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if query is None or (query["code_challenge"], query["redirect_uri"]) != (challenge, form["redirect_uri"]):
            return 400, b'{"error": "invalid_grant", "error_description": "<b>hostile</b>"}'
        tokens = {"access_token": "opaque-access", "token_type": "Bearer", "id_token": self.id_token(query)}
        return 200, json.dumps(tokens).encode()

    def id_token(self, query: dict[str, str]) -> str:
        """The ID token for an authorization request."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": query["client_id"],
            "sub": "subject-1",
            "nonce": query["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "a"}
        if self.algorithm == "none":
            return ".".join([encoded(json.dumps(part).encode()) for part in (header, present)] + [""])
        return jwt.encode(header, present, self.signs_with or self.key, algorithms=[self.algorithm])


@contextmanager
def issuing() -> Iterator[SignInIssuer]:
    """An issuer on loopback."""
    issuer = SignInIssuer()
    thread = threading.Thread(target=issuer.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.http.shutdown()
        thread.join()
        issuer.http.server_close()


@contextmanager
def served(embedded_url: str, template: str, **settings: str) -> Iterator[tuple[SignInIssuer, Service]]:
    """An issuer, and a service that has it."""
    with (
        issuing() as issuer,
        fresh_database(embedded_url, "signing_in", template) as url,
        running(url, NEWEST, THE_SERVICE, **issuer.settings, **settings) as service,
    ):
        yield issuer, service


@contextmanager
def visiting(issuer: SignInIssuer, service: Service) -> Iterator[AdminBrowser]:
    """A browser at a new address, of a service that asks its issuer for everything anew and has no admin."""
    issuer.behave()
    with mock.patch.multiple(issuers, FLOOR_SECONDS=0.0, FRESH_SECONDS=-1.0), browsing(service) as browser:
        with service.database.begin() as connection:
            connection.execute(text("DELETE FROM admins"))
        browser.client.headers.update(from_afar())
        yield browser


def lead(browser: AdminBrowser, leads_to: str = "") -> str:
    """Where the service leads a browser: to the issuer."""
    answer = browser.get("/admin/sign-in/issuer", params={"return": leads_to} if leads_to else {})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def come_back(browser: AdminBrowser, query: str) -> httpx.Response:
    """The page of a browser that the issuer leads back."""
    return browser.get(f"/admin/sign-in/issued?{query}")


def sign_in(browser: AdminBrowser, issuer: SignInIssuer, leads_to: str = "", **changes: str) -> httpx.Response:
    """The whole way: to the issuer, and back with what it says."""
    return come_back(browser, issuer.authorized(lead(browser, leads_to), **changes))


def parameters(location: str) -> dict[str, list[str]]:
    """The query of a location."""
    return parse_qs(urlsplit(location).query, keep_blank_values=True)
