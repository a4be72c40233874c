"""The conditions of the alerts: each is brought about for two replicas of the service, and undone."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import LiteralString
from uuid import uuid4

import httpx
import psutil
import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from db import partitions, signing_keys
from db.advisory_locks import AdvisoryLock
from db.engine import Database
from handlers.security.signing_keys import key_factory
from tests.examples import EVENT, NEWEST, PATH
from tests.postgresql import statement
from tests.scripts.deploy.prometheus import Labels
from tests.scripts.deploy.replicas import Replica
from tests.waiting import wait_until


@dataclass
class Site:
    """Two replicas on the database at `url`, the database `other_url`, and a hub's key."""

    url: str
    other_url: str
    server_url: str
    first: Replica
    second: Replica
    key: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def get(self, path: str, replica: Replica | None = None) -> httpx.Response:
        """The response of a replica, the first by default, to a request of the hub."""
        return self.client.get((replica or self.first).url + path, headers=self._headers)

    def post(self, path: str, body: object) -> httpx.Response:
        """The response of the first replica to a POST of the hub."""
        return self.client.post(self.first.url + path, headers=self._headers, json=body)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


Act = Callable[[], object]
"""Repeated until the alerts fire."""
Condition = Callable[[Site], AbstractContextManager[Act]]


def nothing() -> None:
    """The act of a condition that lasts by itself."""


@contextmanager
def events_are_rejected(site: Site) -> Iterator[Act]:
    """A hub sends events of a widget that is not registered."""
    batch = [{**EVENT, "widget_id": str(uuid4())}] * 20
    yield lambda: site.post(f"{PATH}/batch", batch)


@contextmanager
def the_log_has_no_reader(site: Site) -> Iterator[Act]:
    """The log of the second replica is a pipe that nothing reads: 1 MiB waits, and further lines are lost."""
    path = "/health/" + 200 * "a"

    def ask() -> None:
        for _ in range(500):
            site.get(path, site.second)

    yield ask


@contextmanager
def clients_keep_connections(site: Site) -> Iterator[Act]:
    """The limit of descriptors of a worker is just above what idle clients take."""
    (worker,) = site.first.workers
    soft, hard = worker.rlimit(psutil.RLIMIT_NOFILE)
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", site.first.port)))
        wait_until(lambda: worker.num_fds() > 100)
        worker.rlimit(psutil.RLIMIT_NOFILE, (worker.num_fds() + 20, hard))
        yield nothing
        worker.rlimit(psutil.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def a_worker_lacks_cpu(site: Site) -> Iterator[Act]:
    """A worker does not run for 0.3 s of each second."""
    (worker,) = site.first.workers

    def stop() -> None:
        worker.suspend()
        time.sleep(0.3)
        worker.resume()
        time.sleep(0.7)  # otherwise Prometheus would not reach it

    yield stop


@contextmanager
def the_signing_key_is_old(site: Site) -> Iterator[Act]:
    """The only key that signs was made 200 days ago."""
    with closing(Database(site.url)) as database, database.begin() as connection:
        signing_keys.ensure(connection, key_factory(None), lambda _key: True)
    statement(site.url, sql.SQL("UPDATE oauth_signing_keys SET created_at = now() - interval '200 days'"))
    yield nothing
    statement(site.url, sql.SQL("UPDATE oauth_signing_keys SET created_at = now()"))


@contextmanager
def readers_wait_for_a_lock(site: Site) -> Iterator[Act]:
    """More requests wait for a locked table than the pool of a worker has connections."""
    with ThreadPoolExecutor(12) as readers, locked(site.url, "LOCK TABLE annotations"):
        for _ in range(12):
            readers.submit(site.get, "/api/v1/annotations")
        yield nothing


@contextmanager
def writers_wait_for_a_lock(site: Site) -> Iterator[Act]:
    """An event, and those behind it, wait 0.8 s for a locked table."""

    def write() -> None:
        with ThreadPoolExecutor(4) as hubs, locked(site.url, "LOCK TABLE interaction_events IN EXCLUSIVE MODE"):
            for _ in range(4):
                hubs.submit(site.post, PATH, EVENT)
            time.sleep(0.8)

    yield write


@contextmanager
def locked(url: str, lock: LiteralString) -> Iterator[None]:
    """The lock that a statement takes in the database at `url`."""
    with psycopg.connect(url) as connection:
        connection.execute(lock)
        yield


@contextmanager
def the_database_is_away(site: Site) -> Iterator[Act]:
    """It takes no connection and has ended all; hubs go on reporting, and the proxy asks for readiness."""
    name = str(make_url(site.url).database)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
    end = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(sql.Literal(name))

    def ask() -> None:
        site.post(PATH, EVENT)
        site.get("/health/ready")

    statement(site.server_url, allow(sql.Identifier(name), sql.SQL("false")), end)
    yield ask
    statement(site.server_url, allow(sql.Identifier(name), sql.SQL("true")))
    wait_until(lambda: site.post(PATH, EVENT).status_code == 201)


@contextmanager
def a_column_is_gone(site: Site) -> Iterator[Act]:
    """PostgreSQL refuses each event, because its table was changed by hand."""
    change = "ALTER TABLE interaction_events RENAME COLUMN {} TO {}"
    names = [sql.Identifier("occurred_at"), sql.Identifier("happened_at")]
    statement(site.url, sql.SQL(change).format(*names))
    yield lambda: site.post(PATH, EVENT)
    statement(site.url, sql.SQL(change).format(*reversed(names)))


@contextmanager
def a_contract_is_broken(site: Site) -> Iterator[Act]:
    """The document in the active row is no contract."""
    change = "UPDATE interaction_reporting_contracts SET document = {} WHERE contract_version = {}"
    with psycopg.connect(site.url) as connection:
        query = "SELECT document FROM interaction_reporting_contracts WHERE contract_version = %s"
        ((document,),) = connection.execute(query, [NEWEST])
    statement(site.url, sql.SQL(change).format("no contract", NEWEST))
    yield nothing
    statement(site.url, sql.SQL(change).format(document, NEWEST))


@contextmanager
def the_upkeep_fails(site: Site) -> Iterator[Act]:
    """A worker is killed, and the next one can neither delete signing keys nor make the partitions that are gone."""
    with closing(Database(site.url)) as database, psycopg.connect(site.url) as held:
        held.execute("SELECT pg_advisory_xact_lock(%s)", [AdvisoryLock.PARTITIONS.value])
        with database.begin() as connection:
            coming = [week.name for week in partitions.list_all(connection) if week.since > datetime.now(UTC)]
        names = [sql.Identifier(name) for name in coming if name.startswith("interaction_events")]
        statement(site.url, sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(names)))
        refuse_deletions(site.url)
        site.second.workers[0].kill()
        yield nothing
        statement(site.url, sql.SQL("DROP FUNCTION refuse() CASCADE"))
        held.rollback()
        with database.begin() as connection:
            partitions.ensure_coming(connection, datetime.now(UTC))


def refuse_deletions(url: str) -> None:
    """Let the database at `url` refuse to delete signing keys, also if there are none."""
    body = "BEGIN RAISE 'no deletion'; END"
    function = sql.SQL("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS {}").format(body)
    trigger = "CREATE TRIGGER refuse BEFORE DELETE ON oauth_signing_keys EXECUTE FUNCTION refuse()"
    statement(url, function, sql.SQL(trigger))


@contextmanager
def a_replica_has_another_database(site: Site) -> Iterator[Act]:
    """There a contract differs, and a step of the upkeep has never succeeded."""
    site.second.end(signal.SIGKILL)
    site.second.database_url = site.other_url
    site.second.start()
    yield nothing
    site.second.end(signal.SIGKILL)
    site.second.database_url = site.url
    site.second.start()


def make_different(url: str) -> None:
    """Prepare the database at `url` for `a_replica_has_another_database`."""
    refuse_deletions(url)
    change = (
        "UPDATE interaction_reporting_contracts SET document = replace(document, {}, {}) WHERE contract_version = {}"
    )
    statement(url, sql.SQL(change).format("Interaction Reporting API", "Another API", NEWEST))


@contextmanager
def a_replica_is_killed(site: Site) -> Iterator[Act]:
    """It leaves nothing behind that listens."""
    site.second.end(signal.SIGKILL)
    yield nothing
    site.second.start()


@contextmanager
def each_replica_is_killed(site: Site) -> Iterator[Act]:
    """None is left."""
    with a_replica_is_killed(site):
        site.first.end(signal.SIGKILL)
        yield nothing
        site.first.start()


CONDITIONS: list[tuple[Condition, dict[str, Labels]]] = [
    (events_are_rejected, {"RejectionsJumped": {"kind": "event", "code": "widget_not_registered"}}),
    (the_log_has_no_reader, {"LogLinesLost": {"instance": "second"}}),
    (clients_keep_connections, {"DescriptorsNearLimit": {"instance": "first", "worker": "0"}}),
    (a_worker_lacks_cpu, {"EventLoopLags": {}}),
    (the_signing_key_is_old, {"SigningKeyOld": {}}),
    (readers_wait_for_a_lock, {"ConnectionsExhausted": {"instance": "first"}}),
    (
        writers_wait_for_a_lock,
        {
            "QueueSlow": {"instance": "first", "kind": "event"},
            "CommitsSlow": {"instance": "first", "kind": "event"},
        },
    ),
    (
        the_database_is_away,
        {
            "DatabaseAway": {},
            "RegistryStale": {},
            "ReplicaNotReady": {"instance": "first"},
            "ManyServerErrors": {},
        },
    ),
    (a_column_is_gone, {"WritesRefused": {"kind": "event", "sqlstate_class": "42"}}),
    (a_contract_is_broken, {"ContractRowRefused": {"version": NEWEST}}),
    (
        the_upkeep_fails,
        {
            "WorkerRestarted": {"instance": "second"},
            "UpkeepStale": {"step": "signing_keys_dropped"},
            "PartitionsRunOut": {"table": "interaction_events"},
        },
    ),
    (
        a_replica_has_another_database,
        {"ContractsDiffer": {"version": NEWEST}, "UpkeepNeverSucceeded": {"instance": "second"}},
    ),
    (a_replica_is_killed, {"ReplicaDown": {"instance": "second"}}),
    (each_replica_is_killed, {"NoReplicaUp": {}}),
]
"""The alerts that fire under each condition, and no others of their names: labels that each has."""
