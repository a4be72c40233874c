"""What changed from one contract to another, for people and for programs; and the feed of new versions."""

import itertools
import re
from html import unescape
from xml.etree import ElementTree as ET

import httpx
import pytest

from openapi.diff.reports.markdown_report import markdown_report
from openapi.diff.reports.report import Report
from openapi.diff.reports.text_report import LONGEST_COMMAND
from openapi.diff.rules import judge
from openapi.diff.sentences import sentence
from tests.page_clients import SECONDS, as_program, require_harmless
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.service import CONTRACTS, Service

PAIRS = list(itertools.product(CONTRACTS, CONTRACTS))
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_page_json_and_markdown_have_the_same_changes(
    newest: Service, browser: httpx.Client, old: str, new: str
) -> None:
    """Each change once, with its reason; and the page tells whether a client can fail."""
    path = f"/contracts/{old}/diff/{new}"
    page, json = browser.get(path).text, as_program(newest, path, "application/json").json()
    require_harmless(page)
    shown = re.findall(r'<th scope="row">(.*?)<small>(.*?)</small>', page, re.DOTALL)
    report = Report.of(CONTRACTS[old], CONTRACTS[new], (old, new))
    wanted = sorted((f"{sentence(change)}.", judge(change).why) for change in report.changes)
    assert sorted((unescape(what), unescape(why)) for what, why in shown) == wanted
    assert sorted((change["sentence"], change["why"]) for change in json["changes"]) == wanted
    assert as_program(newest, path, "text/markdown").text == markdown_report(report)
    assert ("A client of the old version can fail." in page) == report.is_break
    assert ("Nothing differs." in page) == (old == new)


def test_how_clients_authenticate_comes_first(browser: httpx.Client) -> None:
    """The operations whose clients do it in another way, and then those whose paths are others."""
    groups = browser.get("/contracts/1.1/diff/2.0").text.split('<h2 id="group-')[1:]
    firsts = [re.findall(r'<th scope="row">(.*?)<small>', group, re.DOTALL)[0] for group in groups]
    concerned = ["clients authenticate by oauth2" in group for group in groups]
    count = concerned.count(True)
    assert count
    assert all(first.startswith("clients authenticate by oauth2") for first in firsts[:count])
    assert firsts[count].startswith("the paths of the servers are")


@pytest.mark.parametrize("new", ["1.0", "1.1"])
def test_a_proof_stands_beside_its_change(browser: httpx.Client, new: str) -> None:
    """The message that one version takes and the other refuses, with the command that sends it."""
    page = browser.get(f"/contracts/2.0/diff/{new}").text
    report = Report.of(CONTRACTS["2.0"], CONTRACTS[new], ("2.0", new))
    witnesses = [change.witness for change in report.changes if change.witness]
    commands = [witness.curl for witness in witnesses if witness.curl and len(witness.curl) <= LONGEST_COMMAND]
    assert bool(commands) == (new == "1.0")  # the other changes are of answers
    assert witnesses
    for text in (*commands, *(witness.short for witness in witnesses)):
        assert text in unescape(page)


@pytest.mark.parametrize("path", ["/contracts/1.0/diff/9.9", "/contracts/9.9/diff/1.0", "/contracts/x/diff/y"])
def test_an_unknown_version_is_not_found(newest: Service, browser: httpx.Client, path: str) -> None:
    """As a page, or as JSON."""
    page = browser.get(path)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert as_program(newest, path, "*/*").json()["error"]


def test_the_feed_has_an_entry_for_each_version(newest: Service, browser: httpx.Client) -> None:
    """The newest first, with what it changed; a browser gets the same."""
    response = as_program(newest, "/contracts/changelog.atom", None)
    assert response.headers["content-type"] == "application/atom+xml"
    assert browser.get("/contracts/changelog.atom").content == response.content
    feed = ET.fromstring(response.content)  # noqa: S314 - it is the service's own
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        "Version 2.0: active",
        "Version 1.1: active",
        "Version 1.0: superseded",
    ]
    assert feed.findtext(f"{ATOM}updated") == max(str(entry.findtext(f"{ATOM}updated")) for entry in entries)
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert httpx.get(link.get("href", ""), timeout=SECONDS).status_code == 200
        content = entry.findtext(f"{ATOM}content") or ""
        assert "<" in content
        require_harmless(content)
    assert "The first version." in (entries[-1].findtext(f"{ATOM}content") or "")
