"""Each alert fires for real: Prometheus scrapes two replicas while the condition of the alert lasts."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from uuid import UUID

import pytest

from db import hubs, widgets
from db.engine import Database
from scripts.service.serve import prepare
from tests.examples import WIDGET
from tests.postgresql import debian_server, fresh_database
from tests.scripts.deploy.alert_conditions import CONDITIONS, Act, Condition, Site, make_different
from tests.scripts.deploy.prometheus import Labels, Prometheus, prometheus, read_rules, shortened
from tests.scripts.deploy.replicas import Replica
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alerts for real")]

RULES, CHANGES = shortened(read_rules())
SETTINGS = {"IR_LOG_LEVEL": "info", "IR_WORKERS": "2"}
"""Of the second replica: a log that can be long, and workers that can be replaced."""
MAY_FIRE_BEFORE = "EventLoopLags"
"""A busy machine is enough for it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two replicas on one database, and another database, on Debian's PostgreSQL."""
    directory = tmp_path_factory.mktemp("replicas")
    with debian_server() as server, fresh_database(server, "alerts") as url:
        key = prepared(url)
        with fresh_database(server, "other", "alerts") as other_url:
            make_different(other_url)
            first, second = Replica(url, directory), Replica(url, directory, SETTINGS)
            os.mkfifo(second.log)
            pipe = os.open(second.log, os.O_RDWR | os.O_NONBLOCK)
            site = Site(url, other_url, server, first, second, key)
            try:
                first.start()
                second.start()
                yield site
            finally:
                for replica in (first, second):
                    if replica.process and replica.process.poll() is None:
                        replica.end(signal.SIGKILL)
                site.client.close()
                os.close(pipe)


def prepared(url: str) -> str:
    """Prepare the database at `url`; returns the key of a hub."""
    with closing(Database(url)) as database:
        prepare(database)
        with database.begin() as connection:
            widgets.register(connection, "Widget of the examples", UUID(WIDGET))
            return hubs.create(connection, "A hub")[1]


@pytest.fixture(scope="module")
def alerts(site: Site) -> Iterator[Prometheus]:
    """Prometheus, which scrapes both replicas."""
    ports = {"first": site.first.port, "second": site.second.port}
    print(*(f"{name:21}{before:13}{after}" for name, before, after in CHANGES), sep="\n")  # pytest -rA shows it
    with prometheus(ports, RULES) as opened:
        yield opened


def matching(alerts: Prometheus, expected: dict[str, Labels]) -> set[str]:
    """The names of the alerts that fire and all have the `expected` labels."""
    firing = alerts.firing()
    return {
        name
        for name, labels in expected.items()
        if (found := [alert for alert in firing if alert["alertname"] == name])
        and all(labels.items() <= alert.items() for alert in found)
    }


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS, ids=[condition.__name__ for condition, _ in CONDITIONS])
def test_alerts_fire(site: Site, alerts: Prometheus, condition: Condition, expected: dict[str, Labels]) -> None:
    """They do not fire before, and they fire under their condition."""
    wait_until(lambda: matching(alerts, expected) <= {MAY_FIRE_BEFORE})
    missing = set(expected)

    def all_fire(act: Act) -> bool:
        act()
        missing.difference_update(matching(alerts, expected))
        return not missing

    with condition(site) as act, suppress(AssertionError):  # whatever happens, the condition is undone
        wait_until(lambda: all_fire(act))
    assert not missing, f"{', '.join(sorted(missing))} did not fire; these do: {alerts.firing()}"


def test_each_alert_has_a_condition() -> None:
    """Write one in `alert_conditions` for a new alert."""
    names = [name for _, expected in CONDITIONS for name in expected]
    assert sorted(names) == sorted(rule["alert"] for group in RULES["groups"] for rule in group["rules"])


def test_of_all_thresholds_one_is_lower() -> None:
    """Nothing can make the upkeep three hours old. The tests do bring about what the other alerts are about."""
    thresholds = [change for change in CHANGES if change[1].startswith(">")]
    assert thresholds == [("UpkeepStale", "> 3 * 3600", "> 3 * 4")]
