"""HTML pages: styled text and nothing else, in every module that makes one."""

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from markupsafe import Markup

from handlers.contracts.migration import Migration
from handlers.site import migration_reports
from openapi.diff.reports import html_report
from openapi.diff.reports.report import Report
from openapi.rendering.html import Layout, each
from tests.openapi.diff.documents import document

ROOT = Path(__file__).parent.parent.parent.parent
LAYOUT = Layout(Markup("p>b{color:red}"))
PAGES = {
    "a page of its own": (LAYOUT, LAYOUT.page("A title", Markup("<p>Text"))),
    "changes": (html_report.LAYOUT, html_report.html_report(Report.of(document(), document(), ("old", "new")))),
    "migration": (
        migration_reports.LAYOUT,
        migration_reports.as_html(Migration(datetime.now(UTC), [date(2026, 11, 24)], [], [])),
    ),
}


@pytest.mark.parametrize(("layout", "page"), PAGES.values(), ids=PAGES)
def test_the_policy_allows_only_the_style_of_the_page(layout: Layout, page: str) -> None:
    """By its hash, in the header and in the page itself, because a page may be saved as a file."""
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    (policy,) = re.findall('<meta http-equiv="Content-Security-Policy" content="(.*?)">', page)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert layout.policy == f"{policy}; frame-ancestors 'none'"
    assert " style=" not in page


def sources() -> Iterator[Path]:
    """Every module of the four packages."""
    for package in ("openapi", "handlers", "db", "scripts"):
        yield from (ROOT / package).rglob("*.py")


def test_no_module_allows_inline_code_or_bypasses_the_layout() -> None:
    """No policy has `unsafe-inline`, and only html.py writes a doctype."""
    assert [path for path in sources() if "unsafe-inline" in path.read_text()] == []
    assert [path.name for path in sources() if "<!doctype" in path.read_text().lower()] == ["html.py"]


def test_a_text_is_escaped_in_every_place() -> None:
    """In the title, and in each of several elements; a rule of the style is not escaped."""
    page = LAYOUT.page("<script>", each(Markup("<p>{}"), ["a & b", "<b>", Markup("<i>")]))
    assert "<title>&lt;script&gt;</title>" in page
    assert "<h1>&lt;script&gt;</h1>\n<p>a &amp; b<p>&lt;b&gt;<p><i>\n" in page
    assert "p>b{color:red}</style>" in page
