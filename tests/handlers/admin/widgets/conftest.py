"""Fixtures: a service of its own for each module, and admins of each role who are signed in."""

from collections.abc import Iterator

import pytest

from tests.page_admins import AdminBrowser, signed_in
from tests.postgresql import fresh_database
from tests.service import Service, running


@pytest.fixture(scope="module")
def newest(embedded_url: str, template: str) -> Iterator[Service]:
    """A service of the tests of one module alone: no widget is ever deleted."""
    with fresh_database(embedded_url, "widget_pages", template) as url, running(url) as started:
        yield started


@pytest.fixture(scope="module")
def editor(newest: Service) -> Iterator[AdminBrowser]:
    """An editor who is signed in."""
    with signed_in(newest, "an editor of widgets", "editor") as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(newest: Service) -> Iterator[AdminBrowser]:
    """A viewer who is signed in."""
    with signed_in(newest, "a viewer of widgets", "viewer") as browser:
        yield browser
