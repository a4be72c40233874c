"""Browsers of hubs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from db import hubs
from tests.page_clients import BROWSER, SECONDS
from tests.service import Service


@contextmanager
def visitor(service: Service) -> Iterator[httpx.Client]:
    """A browser without cookies."""
    headers = {"accept": BROWSER, "origin": service.url, "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=SECONDS) as client:
        yield client


def token_in(page: httpx.Response) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="token" value="([^"]*)"', page.text)
    assert found is not None
    return found[1]


def sign_in(client: httpx.Client, secret: str) -> httpx.Response:
    """The response to a key or a secret."""
    return client.post("/hub/sign-in", data={"token": token_in(client.get("/hub")), "secret": secret})


def new_hub(service: Service, name: str) -> str:
    """The key of a new hub."""
    with service.database.begin() as connection:
        return hubs.create(connection, name)[1]
