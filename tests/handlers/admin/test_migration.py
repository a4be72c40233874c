"""The page of the migration: who would break, and the former address."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from db import contracts, hubs, version_usage
from tests.page_admins import signed_in, text_of
from tests.service import Service


def test_hubs_that_would_break_are_listed(start_service: object) -> None:
    """By name, with their requests; one that is cut over is not among them, and all are listed when asked for."""
    with start_service() as service, signed_in(service, "a viewer", "viewer") as browser:  # type: ignore[operator]
        now = datetime.now(UTC)
        with service.database.begin() as connection:
            contracts.deprecate(connection, service.version, now + timedelta(days=100))
            made = {name: hubs.create(connection, name)[0].id.int for name in ("old <b>", "moved", "both")}
            counts = Counter({(made["old <b>"], "1.1"): 7, (made["moved"], "2.0"): 3, (made["both"], "1.1"): 1})
            version_usage.add(connection, counts + Counter({(made["both"], "2.0"): 2}), now)
            hubs.cut_over(connection, "both", "it has a client")
        page = browser.get("/admin/migration")
        words = text_of(page)
        assert "Judging by the last 14 days, 1 hub." in words
        assert "old &lt;b&gt;" in page.text
        assert "v1: 7, v2: 0" in words
        assert "moved" not in words
        everybody = text_of(browser.get("/admin/migration?of=all"))
        assert "has moved: uses version 2 only" in everybody
        assert "it has a client" in everybody


def test_a_part_of_the_list_leads_to_the_next(start_service: object) -> None:
    """Fifty hubs are on a page."""
    with start_service() as service, signed_in(service, "a viewer", "viewer") as browser:  # type: ignore[operator]
        with service.database.begin() as connection:
            for number in range(60):
                hubs.create(connection, f"hub {number:02}/&")
        first = browser.get("/admin/migration?of=all")
        path = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
        second = browser.get(path)
        names = [f"hub {number:02}/&amp;" for number in range(60)]
        assert [name in first.text for name in names].count(True) + [name in second.text for name in names].count(
            True
        ) == 60
        assert 'rel="next"' not in second.text


def test_the_former_address_leads_here(newest: Service) -> None:
    """In a browser; programs go on."""
    with signed_in(newest, "someone with a bookmark") as browser:
        answer = browser.get("/migration")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/migration")
        assert browser.get("/migration", headers={"accept": "*/*"}).status_code == 404
