"""Setup of each run. Fixtures are in `databases` and `service`, which only the tests that need them load."""

from contextlib import ExitStack

import pytest

from tests.leftovers import own_temporary_directory

pytest.register_assert_rewrite(
    "tests.databases", "tests.db.filled_databases", "tests.issuer", "tests.service"
)  # conftests import them before they load them

RUN = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """End servers and files with the run, even if it is killed."""
    config.stash[RUN] = ExitStack()
    config.stash[RUN].enter_context(own_temporary_directory())


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run."""
    config.stash[RUN].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests first, each in any process; the other tests stay with those of their file."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        is_slow = item.get_closest_marker("slow") is not None
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid if is_slow else str(item.path)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a pytest with which pytest-xdist forgets the groups: files would be torn apart, and nothing be alone."""
    is_worker = hasattr(session.config, "workerinput")
    if is_worker and session.config.getvalue("loadgroup"):
        assert all("@" in item.nodeid for item in session.items), "pytest-xdist does not group tests with this pytest"
