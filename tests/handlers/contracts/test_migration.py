"""Version usage of hubs, derived from rows: states, days, reports, and the hubs that may be cut over."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import func, update

from db import contracts, hubs, oauth_clients, tables, version_usage
from db.engine import Database
from db.errors import NotFound, Refused
from handlers.contracts import migration
from handlers.contracts.migration import HubUse, Migration
from handlers.site import migration_reports

NOW = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SUNSET = datetime(2999, 1, 1, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    "\x1b[31mred\x07",
    "a|b `c` [d](javascript:e)",
    "\u202egnp.exe",
    '"><img src=x>',
]


def use(database: Database, name: str, *counts: tuple[str, datetime, int]) -> None:
    """Count requests of the hub named `name`, which is created if absent: each a version, an instant and a number."""
    with database.begin() as connection:
        hubs_by_name = {hub.name: hub for hub in hubs.list_all(connection)}
        hub = hubs_by_name.get(name) or hubs.create(connection, name)[0]
        for version, at, count in counts:
            version_usage.add(connection, Counter({(hub.id.int, version): count}), at)


def change(database: Database, name: str, **values: Any) -> None:
    """Change the row of a hub."""
    with database.begin() as connection:
        connection.execute(update(tables.hubs).where(tables.hubs.c.name == name).values(values))


def migration_at(database: Database, days: int = 14, now: datetime = NOW) -> Migration:
    """The migration at `now`."""
    with database.begin() as connection:
        return migration.migration(connection, days, now)


def hub_of(report: Migration, name: str) -> HubUse:
    """The use of the hub named `name`."""
    (hub,) = [hub for hub in report.hubs if hub.hub == name]
    return hub


def test_the_report_describes_each_hub(database: Database) -> None:
    """The state of each hub in words; hubs that would break come first, and exclude refused and silent ones."""
    use(database, "old", ("1.0", NOW - DAY, 2), ("1.1", NOW, 1))
    use(database, "client", ("1.1", NOW, 1))
    use(database, "both", ("1.1", NOW, 1), ("2.0", NOW, 1))
    use(database, "moved", ("1.1", NOW - 14 * DAY, 9), ("2.0", NOW, 1))
    use(database, "silent", ("1.1", NOW - 14 * DAY, 9), ("2.0", NOW - 20 * DAY, 1))
    use(database, "never")
    for name, last in (("cut", NOW - DAY + migration.LAG), ("late", NOW)):
        use(database, name, ("1.1", last, 1))
        change(database, name, cut_over_at=NOW - DAY, cut_over_why="It has moved.")
    use(database, "off", ("1.1", NOW, 1))
    change(database, "off", disabled_at=NOW)
    with database.begin() as connection:
        oauth_clients.issue(connection, "client", ["events:write"])
        disabled, _ = oauth_clients.issue(connection, "old", ["events:write"])
        oauth_clients.disable(connection, disabled.client_id)
    report = migration_at(database)
    assert [(hub.hub, hub.state) for hub in report.hubs if hub.would_break] == [
        ("both", "uses versions 1 and 2, and has no client that could get an access token"),
        ("client", "uses version 1 only"),
        ("old", "uses version 1 only, and has no client that could get an access token"),
    ]
    assert {hub.hub: hub.state for hub in report.hubs if not hub.would_break} == {
        "cut": "cut over",
        "late": "cut over, but still sends requests to version 1 with its key",
        "moved": "has moved: uses version 2 only",
        "never": "never seen",
        "off": "disabled",
        "silent": "no requests on these days; used versions 1 and 2 before",
    }
    assert [(hub.hub, hub.clients) for hub in report.hubs if hub.clients] == [("client", 1)]
    assert migration_reports.totals(report) == {"hubs": 9, "would_break": 3, "cut_over": 2, "with_clients": 1}
    sentences = migration_reports.sentences(report)
    days = "from 2026-11-11 to 2026-11-24, in UTC"
    assert sentences[2:] == [
        f"Judging by the requests sent {days}, 3 of 9 hubs would break if version 1 ended.",
        "Cut over: 2. With a client for access tokens: 1.",
    ]


def test_days_are_in_utc(database: Database) -> None:
    """The last day is today, and requests before the first one count only as last seen."""
    first = datetime(2026, 11, 22, tzinfo=UTC)
    use(
        database,
        "hub",
        ("1.1", first - timedelta(microseconds=1), 7),
        ("1.1", first, 5),
        ("1.0", NOW, 3),
        ("2.0", NOW, 2),
    )
    report = migration_at(database, 3, NOW)
    assert [str(day) for day in report.days] == ["2026-11-22", "2026-11-23", "2026-11-24"]
    uses = hub_of(report, "hub").uses
    assert {major: use.requests for major, use in uses.items()} == {1: [5, 0, 3], 2: [0, 0, 2]}
    later = migration_at(database, 1, NOW + 30 * DAY)
    assert hub_of(later, "hub").uses[1].last_seen_at == NOW
    assert not hub_of(later, "hub").would_break


def test_the_report_names_the_end_of_a_version(database: Database) -> None:
    """The sunset; after the retirement no hub would break, though the version was used."""
    use(database, "hub", ("1.1", NOW, 1))
    with database.begin() as connection:
        contracts.deprecate(connection, "1.1", SUNSET)
    report = migration_at(database)
    sentences = migration_reports.sentences(report)
    assert sentences[:2] == [
        "Version 1 (contract 1.1) is deprecated and ends at 2999-01-01T00:00:00Z.",
        "Version 2 (contract 2.0) is active.",
    ]
    assert report.hubs[0].would_break
    with database.begin() as connection:
        contracts.retire(connection, "1.1", before_sunset=True)
    report = migration_at(database)
    assert migration_reports.sentences(report)[:3] == [
        "Version 1 is not served any more.",
        "Version 2 (contract 2.0) is active.",
        "None of 1 hubs would break: no version is being phased out.",
    ]
    assert (report.hubs[0].would_break, report.hubs[0].state) == (False, "uses version 1")


def test_a_hub_is_cut_over_only_if_it_can_use_the_next_version(database: Database) -> None:
    """It was seen on the next version, or its operator forces it; hub and next version must exist."""
    use(database, "ready", ("1.1", NOW, 1), ("2.0", NOW - 99 * DAY, 1))
    use(database, "not ready", ("1.1", NOW, 1))
    with database.begin() as connection:
        assert migration.cut_over(connection, "ready", "why", is_forced=False).cut_over_why == "why"
        with pytest.raises(Refused, match=r"the hub 'not ready' was never seen on version 2: .*--force"):
            migration.cut_over(connection, "not ready", None, is_forced=False)
        assert hubs.get(connection, "not ready").cut_over_at is None
        assert migration.cut_over(connection, "not ready", None, is_forced=True).cut_over_at is not None
        with pytest.raises(NotFound, match="there is no hub named 'nobody'"):
            migration.cut_over(connection, "nobody", None, is_forced=True)
        hubs.restore_key(connection, "ready")
        contracts.deprecate(connection, "2.0", SUNSET)
        with pytest.raises(Refused, match="hubs have no version to move to"):
            migration.cut_over(connection, "ready", None, is_forced=True)
        contracts.withdraw_deprecation(connection, "2.0")
        table = tables.interaction_reporting_contracts
        connection.execute(update(table).where(table.c.contract_version == "2.0").values(status="superseded"))
        with pytest.raises(Refused, match="hubs have no version to move to"):
            migration.cut_over(connection, "ready", None, is_forced=True)
        connection.rollback()


class Elements(HTMLParser):
    """The elements of a page, and the texts of its rows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the name of an element, and check its attributes."""
        self.names.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        """Collect a text."""
        self.texts.append(data.strip())


def test_hostile_names_are_harmless_in_reports(database: Database) -> None:
    """Neither in a browser, nor in a terminal, nor in a Markdown renderer; JSON repeats them unchanged."""
    for name in HOSTILE:
        use(database, name, ("1.1", NOW, 1))
        change(database, name, cut_over_why=name)
    change(database, HOSTILE[0], cut_over_at=func.now())
    report = migration_at(database, 2)
    page, text = migration_reports.as_html(report), migration_reports.as_markdown(report)
    elements = Elements(page)
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "ul", "li", "table", "tr", "th", "td", "bdi"}
    assert elements.names == allowed | {"strong"}
    assert {HOSTILE[0], HOSTILE[2], HOSTILE[4], "\\x1b[31mred\\x07", "\\u202egnp.exe"} <= set(elements.texts)
    assert all(sign.isprintable() or sign == "\n" for sign in page + text)
    assert "<script" not in page + text.replace("\\<", "")
    assert "| \\<script\\>alert(1)\\</script\\> | " in text
    assert len([line for line in text.splitlines() if line.startswith("|")]) == 2 + len(HOSTILE)
    assert {hub["hub"] for hub in migration_reports.as_json(report)["hubs"]} == set(HOSTILE)


def test_hubs_that_would_break_are_marked_in_words(database: Database) -> None:
    """On the page and in Markdown, and no other hub is."""
    use(database, "old", ("1.1", NOW, 12))
    use(database, "new", ("2.0", NOW, 34))
    report = migration_at(database, 1)
    page, text = migration_reports.as_html(report), migration_reports.as_markdown(report)
    marked = "would break: uses version 1 only, and has no client that could get an access token"
    assert f"<bdi>old</bdi><td><strong>{marked}</strong>" in page
    assert "<bdi>new</bdi><td>has moved: uses version 2 only<td>" in page
    assert f"| old | {marked} | 0 |  | 2026-11-24T00:30:00Z |  | 12 / 0 | 12 / 0 |" in text
    assert "| new | has moved: uses version 2 only | 0 |  |  | 2026-11-24T00:30:00Z | 0 / 34 | 0 / 34 |" in text


def test_the_number_of_hubs_on_a_page_is_limited(database: Database) -> None:
    """Hubs that would break come first, and the page names the number of omitted ones."""
    use(database, "a", ("2.0", NOW, 1))
    use(database, "b", ("1.1", NOW, 1))
    report = migration_at(database, 1)
    assert "Not on this page" not in migration_reports.as_html(report, 2)
    page = migration_reports.as_html(report, 1)
    assert "<li>Not on this page: 1 of 2 hubs." in page
    assert "<bdi>b</bdi>" in page
    assert "<bdi>a</bdi>" not in page
    assert "1 of 2 hubs would break" in page
    assert "None of 0 hubs" in migration_reports.as_html(replace(report, hubs=[], versions=[]))
