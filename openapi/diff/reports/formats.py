"""The formats of a report, by name."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from openapi.diff.reports.annotations import annotations
from openapi.diff.reports.html_report import html_report
from openapi.diff.reports.junit import junit
from openapi.diff.reports.markdown_report import markdown_report
from openapi.diff.reports.report import Report
from openapi.diff.reports.sarif import sarif
from openapi.diff.reports.text_report import text_report
from openapi.rendering.terminal import without_commands


class Format(StrEnum):
    """The format of a report."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


def rendered(report: Report, form: Format, with_texts: bool = False) -> str:
    """The text of `report`, with its changed texts or without; JSON always has them. UTF-8 can encode it."""
    text = _RENDERERS[form](report, with_texts).encode("utf-8", "replace").decode()
    return text if form is Format.GITHUB else without_commands(text)


_RENDERERS: Mapping[Format, Callable[[Report, bool], str]] = {
    Format.TEXT: text_report,
    Format.MARKDOWN: markdown_report,
    Format.HTML: html_report,
    Format.JSON: lambda report, _: report.as_json_text(),
    Format.SARIF: sarif,
    Format.JUNIT: junit,
    Format.GITHUB: annotations,
}
