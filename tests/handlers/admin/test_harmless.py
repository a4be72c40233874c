"""The bytes of every page of the admin: nothing in them that a page should not have."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from handlers.pages.templates import POLICY
from tests.handlers.admin.test_looks import PATHS, fill
from tests.page_admins import signed_in
from tests.page_clients import require_harmless
from tests.service import Service


def test_every_page_is_harmless(start_service: Callable[..., AbstractContextManager[Service]]) -> None:
    """No inline script or style, no element of a stranger, no id twice; each has the policy, and is not kept."""
    with start_service() as service, signed_in(service, "an owner <script>alert(1)</script>") as owner:
        with service.database.begin() as connection:
            fill(connection)
        for path in [path for paths in PATHS.values() for path in paths]:
            if path.startswith("/admin/live"):
                continue  # its script copies templates, which its own test reads
            page = owner.get(path)
            require_harmless(page.text)
            assert page.headers["content-security-policy"] == POLICY, path
            assert page.headers["cache-control"] == "no-store", path
