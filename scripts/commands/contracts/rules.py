"""`interaction-reporting contract rules`: the policy by which documents are compared."""

from enum import StrEnum
from typing import Annotated

import typer

from openapi.rendering import markdown
from scripts.commands.arguments import AsJSON
from scripts.commands.contracts.policies import Severities, policy_of
from scripts.commands.output import show


class Form(StrEnum):
    """The format of the table."""

    TEXT = "text"
    MARKDOWN = "markdown"


def rules(
    severities: Severities = None,
    form: Annotated[Form, typer.Option("--format", help="The format of the table.")] = Form.TEXT,
    as_json: AsJSON = False,
) -> None:
    """Print the policy of `contract diff`: the severity of each rule, and the reason."""
    rows = [
        {"rule": rule, "class": row.severity.name.lower(), "audience": row.audience, "why": row.why}
        for rule, row in policy_of(severities).rows.items()
    ]
    if form is Form.MARKDOWN and not as_json:
        print(_as_markdown(rows), end="")
    else:
        show(rows, as_json)


def _as_markdown(rows: list[dict[str, str]]) -> str:
    """`rows` as a table; Markdown escapes what a file named."""
    cells = [
        [markdown.code(row["rule"]), row["class"], row["audience"], markdown.line(row["why"]).replace("|", "&#124;")]
        for row in rows
    ]
    return markdown.table(("rule", "class", "audience", "reason"), cells) + "\n"
