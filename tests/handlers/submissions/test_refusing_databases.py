"""Submissions while the database takes no row at all: a missing partition, or a disk that is full."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

from db import partitions, writer
from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, Hub, totals, totals_of
from tests.postgresql import statement

if TYPE_CHECKING:
    from tests.service import Service

LINES = 20_000
MEBIBYTE = 1024 * 1024


@pytest.fixture
def own_hub(
    start_service: Callable[..., AbstractContextManager["Service"]], new_hub: Callable[..., Hub]
) -> Iterator[Hub]:
    """A hub of a service on a database of the test's own."""
    with start_service() as service:
        yield new_hub(service)


def detach_this_week(hub: Hub, table: str) -> str:
    """Detach the partition of now from `table`; returns its name."""
    with hub.service.database.begin() as connection:
        weeks = [week for week in partitions.list_all(connection) if week.table == table]
    (name,) = [week.name for week in weeks if week.since <= datetime.now(UTC) < week.until]
    query = SQL("ALTER TABLE {} DETACH PARTITION {}").format(Identifier(table), Identifier(name))
    statement(hub.service.database_url, query)
    return name


@pytest.mark.parametrize(
    ("table", "path", "item"),
    [
        pytest.param("interaction_events", "/interaction-events", EVENT, id="events"),
        pytest.param("annotations", "/annotations", ANNOTATION, id="annotations"),
    ],
)
def test_a_partition_that_is_missing_is_created(
    own_hub: Hub, table: str, path: str, item: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """One submission, an array and lines are stored as always; a line of the log says it each time."""
    hub, lines = own_hub, (json.dumps(item) + "\n") * 1200
    name = detach_this_week(hub, table)
    assert hub.post(path, item).status_code == 201
    assert detach_this_week(hub, table) == f"{name}_2"
    assert totals_of(hub.batch([item] * 3, path)) == totals(created=3)
    assert detach_this_week(hub, table) == f"{name}_3"
    assert totals_of(hub.lines(lines, path)) == totals(created=1200)
    assert len(hub.rows(table)) == 1200
    assert sum("rows had no partition" in message for message in caplog.messages) == 3


def log_of(hub: Hub) -> Path:
    """The log of the embedded server."""
    return Path(str(make_url(hub.service.database_url).query["host"])) / "log"


def test_a_full_disk_costs_a_statement_for_each_batch(own_hub: Hub) -> None:
    """PostgreSQL logs each statement that fails, on the disk that is full. Submissions are stored when it has room."""
    hub = own_hub
    statement(
        hub.service.database_url,
        SQL("CREATE SEQUENCE statements"),
        SQL(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('statements'); "
            "RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
        ),
        SQL("CREATE TRIGGER refuse BEFORE INSERT ON interaction_events FOR EACH ROW EXECUTE FUNCTION refuse()"),
    )
    before = log_of(hub).stat().st_size
    answer = hub.lines((json.dumps(EVENT) + "\n") * LINES)
    assert (answer.status_code, totals_of(answer)) == (503, totals(rejected=LINES))
    assert hub.event().status_code == 503
    with psycopg.connect(hub.service.database_url) as connection:
        (count,) = connection.execute("SELECT last_value FROM statements").fetchone() or (0,)
    assert count <= 2 * LINES // writer.BATCH_ROWS + 2  # a group of lines is half a batch
    assert 0 < log_of(hub).stat().st_size - before < MEBIBYTE
    statement(hub.service.database_url, SQL("DROP TRIGGER refuse ON interaction_events"))
    assert hub.event().status_code == 201


@pytest.mark.parametrize("form", ["single", "array", "lines"])
def test_a_table_that_was_changed_is_an_outage(own_hub: Hub, form: str, caplog: pytest.LogCaptureFixture) -> None:
    """503, and one line in the log, until an operator undoes the change."""
    hub = own_hub
    asked: dict[str, Callable[[], httpx.Response]] = {
        "single": hub.event,
        "array": lambda: hub.batch([EVENT]),
        "lines": lambda: hub.lines(json.dumps(EVENT)),
    }
    ask = asked[form]
    rename = SQL("ALTER TABLE interaction_events RENAME COLUMN {} TO {}")
    names = [Identifier("occurred_at"), Identifier("happened_at")]
    statement(hub.service.database_url, rename.format(*names))
    for _ in range(3):
        answer = ask()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    statement(hub.service.database_url, rename.format(*reversed(names)))
    assert ask().is_success
    assert [record.levelname for record in caplog.records if "refuses all rows" in record.message] == ["WARNING"]
    assert "unexpected fault" not in caplog.text
