"""Fixtures: people of each role who look at rejections."""

from collections.abc import Iterator

import pytest

from tests.page_admins import AdminBrowser, signed_in
from tests.service import Service


@pytest.fixture(scope="module")
def editor(newest: Service, request: pytest.FixtureRequest) -> Iterator[AdminBrowser]:
    """An editor who is signed in."""
    with signed_in(newest, f"editor of {request.module.__name__.rpartition('.')[2]}", "editor") as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(newest: Service, request: pytest.FixtureRequest) -> Iterator[AdminBrowser]:
    """A viewer who is signed in."""
    with signed_in(newest, f"viewer of {request.module.__name__.rpartition('.')[2]}", "viewer") as browser:
        yield browser
