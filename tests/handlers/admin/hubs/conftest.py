"""Owners of a service, who look at hubs."""

from collections.abc import Iterator

import pytest

from tests.page_admins import AdminBrowser, signed_in
from tests.service import Service


@pytest.fixture(scope="module")
def owner(newest: Service, request: pytest.FixtureRequest) -> Iterator[AdminBrowser]:
    """An owner who is signed in."""
    with signed_in(newest, f"an owner in {request.module.__name__}") as browser:
        yield browser
