"""Fixtures: admins of each role who are signed in, and what they look at."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import count

import pytest

from db.admins import Role
from tests.page_admins import AdminBrowser, signed_in
from tests.postgresql import fresh_database
from tests.service import Service, running

_numbers = count()


@pytest.fixture(scope="module")
def newest(embedded_url: str, template: str) -> Iterator[Service]:
    """A service of the tests of one module alone: no row of the registry is ever deleted, and these are hostile."""
    with fresh_database(embedded_url, "registry_pages", template) as url, running(url) as started:
        yield started


@pytest.fixture(scope="module")
def editor(newest: Service) -> Iterator[AdminBrowser]:
    """An editor who is signed in."""
    with _new(newest, "editor") as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(newest: Service) -> Iterator[AdminBrowser]:
    """A viewer who is signed in."""
    with _new(newest, "viewer") as browser:
        yield browser


def _new(service: Service, role: Role):  # type: ignore[no-untyped-def]
    return signed_in(service, f"{role} {next(_numbers)} of the registry", role)


def seen(browser: AdminBrowser, path: str) -> str:
    """The state that the forms of the page at `path` have."""
    found = re.search(r'name="seen" value="([^"]+)"', browser.get(path).text)
    assert found is not None
    return found[1]


def value_of(page: str, name: str) -> str:
    """What stands in a field of a page."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page) or re.search(
        rf'<textarea[^>]* name="{name}"[^>]*>\n?([^<]*)</textarea>', page
    )
    assert found is not None
    return unescape(found[1])
