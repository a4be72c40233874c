"""Admins who are signed in to the pages of a service."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
from argon2 import PasswordHasher

from db import admins
from db.admins import Role
from tests.page_clients import BROWSER, SECONDS
from tests.service import Service

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Of PASSWORD, and cheap to verify."""
ADMINS, AUDIT = "/admin/admins", "/admin/audit"


@dataclass
class AdminBrowser:
    """The browser of someone, with the cookies of a service."""

    service: Service
    client: httpx.Client

    def get(self, path: str, **options: Any) -> httpx.Response:
        """The page at a path; redirects are not followed."""
        return self.client.get(path, **options)

    def token(self, path: str = AUDIT) -> str:
        """The token in the forms of the page at `path`."""
        found = re.search(r'name="token" value="([^"]*)"', self.get(path).text)
        assert found is not None
        return found[1]

    def post(
        self, path: str, fields: Mapping[str, Any] | None = None, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """The response to a form, with the token of the session unless another one is given."""
        token = self.token() if token is None else token
        sent = {"origin": self.service.url, "sec-fetch-site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = {**(fields or {}), "token": token}
        return self.client.post(path, data=content, headers={k: v for k, v in sent.items() if v})

    def sign_in(self, name: str, password: str = PASSWORD, leads_to: str = "") -> httpx.Response:
        """The response to a name and a password."""
        token = self.token("/admin/sign-in")
        return self.post("/admin/sign-in", {"name": name, "password": password, "return": leads_to}, token)


@contextmanager
def browsing(service: Service) -> Iterator[AdminBrowser]:
    """A browser without cookies."""
    with httpx.Client(base_url=service.url, headers={"accept": BROWSER}, timeout=SECONDS) as client:
        yield AdminBrowser(service, client)


def make_admin(service: Service, name: str, role: Role = "owner") -> None:
    """Create an admin with PASSWORD."""
    with service.database.begin() as connection:
        admins.create(connection, name, role, HASH)


@contextmanager
def signed_in(service: Service, name: str, role: Role = "owner") -> Iterator[AdminBrowser]:
    """The browser of a new admin who is signed in."""
    make_admin(service, name, role)
    with browsing(service) as browser:
        assert browser.sign_in(name).status_code == 303
        yield browser


def text_of(response: httpx.Response) -> str:
    """The words of a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.text)).split())
