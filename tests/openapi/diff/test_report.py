"""Reports of changes, for people and for programs."""

import json
import re
from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.findings import fingerprint
from openapi.diff.reports.html_report import html_report
from openapi.diff.reports.markdown_report import markdown_report
from openapi.diff.reports.report import Report
from openapi.diff.reports.text_report import text_report
from openapi.diff.rules import RULES
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document, with_body

POINTER = "/paths/~1x/post/requestBody/content/application~1json/schema/properties/a/enum"
HOSTILE = "<script>alert(1)</script>\x1b[31m|`"


def report(old: Document, new: Document) -> Report:
    """The report of two documents named old.yaml and new.yaml."""
    return Report.of(old, new, ("old.yaml", "new.yaml"))


@pytest.fixture
def narrowed() -> Report:
    """A report of a value removed from an enum, for requests that need a key."""
    documents = [
        with_body({"type": "object", "properties": {"a": {"type": "string", "enum": values}}, "required": ["a"]})
        for values in (["x", "y"], ["x"])
    ]
    for contract in documents:
        contract.document["security"] = [{"key": []}]
        contract.document["components"] = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
    return report(*documents)


def test_json_has_everything(narrowed: Report) -> None:
    """Class, wire effect, certainty and place of each change, and a proof that can be pasted."""
    (change,) = narrowed.as_json["changes"]
    assert (narrowed.as_json["class"], narrowed.as_json["breaking"]) == ("major", True)
    message = 'POST /x HTTP/1.1\nAuthorization: Bearer <token>\nContent-Type: application/json\n\n{"a": "y"}'
    assert change == {
        "rule": "request-enum-narrowed",
        "class": "major",
        "breaking": True,
        "certainty": "proved",
        "audience": "wire",
        "direction": "request",
        "pointer": POINTER,
        "document": "new",
        "places": {"old": {"pointer": POINTER}, "new": {"pointer": POINTER}},
        "operations": ["POST /x"],
        "sentence": 'body /a may no longer be "y".',
        "why": "A request that was accepted may be refused.",
        "changed_by": None,
        "acknowledged": None,
        "announced": False,
        "sunset": None,
        "notes": [],
        "old": ["y"],
        "new": ["x"],
        "fingerprint": fingerprint(narrowed.changes[0]),
        "proof": {
            "value": {"a": "y"},
            "message": message,
            "short": message,
            "curl": "curl 'https://<host>/x' -H 'Authorization: Bearer <token>' -H 'Content-Type: application/json' "
            """--data-raw '{"a": "y"}'""",
        },
    }
    assert json.loads(narrowed.as_json_text()) == narrowed.as_json


def test_text_and_markdown_and_html_say_the_same(narrowed: Report) -> None:
    """Each in its own format, with the proof."""
    head = "old.yaml to new.yaml: major, breaking\n1 change: 1 breaking (1 proved)\n\nPOST /x\n"
    assert text_report(narrowed).startswith(f"{head}  BREAKS  body /a may no longer be ")
    assert "\n- **Breaks**: body /a may no longer be " in markdown_report(narrowed)
    assert "<h1>old.yaml to new.yaml: major, breaking</h1>" in html_report(narrowed)
    for text in (text_report(narrowed), markdown_report(narrowed), html_report(narrowed).replace("&#34;", '"')):
        assert "The old contract accepts this, the new one refuses it:" in text
        assert '{"a": "y"}' in text


def test_a_report_without_changes_says_so() -> None:
    """It says so in each format."""
    same = report(document(), document())
    assert same.as_json["class"] == "none"
    for text in (text_report(same), markdown_report(same), html_report(same)):
        assert "No request and no response changed." in text


def test_texts_of_a_document_inject_nothing() -> None:
    """Neither into a terminal, nor into a page, nor into rendered Markdown."""
    hostile = report(document(), with_body({"type": "object"}, path=f"/{HOSTILE}"))
    assert "\x1b" not in text_report(hostile) + markdown_report(hostile)
    assert "<script" not in html_report(hostile)
    assert not re.search(r"(?<![\\`])<script", markdown_report(hostile))


def test_a_fingerprint_is_of_facts_alone(narrowed: Report) -> None:
    """The same change keeps it with other texts and further changes; another value has another one."""
    again = report(with_body(_enum(["x", "y"])), with_body(_enum(["x"]), description="Other words."))
    (change,) = [change for change in again.changes if change.rule != "text-changed"]
    other = report(with_body(_enum(["x", "z"])), with_body(_enum(["x"])))
    assert fingerprint(change) == fingerprint(narrowed.changes[0]) != fingerprint(other.changes[0])


def _enum(values: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"type": "string", "enum": values}}}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_words(rule: str, narrowed: Report) -> None:
    """Its sentence has no unfilled placeholder, and its reason is a sentence."""
    change = type(narrowed.changes[0])(rule, "/a", True, None, (), "the subject", "had", "has")
    assert not re.search(r"[{}]", sentence(change))
    assert re.search(r"subject|body|servers|authenticate", sentence(change))
    assert re.fullmatch(r"[A-Z].*\.", RULES[rule].why)


def test_a_proof_shows_what_changed() -> None:
    """The property at fault comes first in a body of many."""
    many = {f"p{number}": {"type": "integer"} for number in range(9)}
    documents = [
        with_body({"type": "object", "required": [*many], "properties": {**many, "p7": {"type": "integer", **limit}}})
        for limit in ({}, {"maximum": 5})
    ]
    (change,) = report(*documents).changes
    assert change.witness is not None
    assert re.search(r'\n\{"p7": 6, "p0": 0, … 7 more\}$', change.witness.short)
