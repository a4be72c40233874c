"""Reports of changes, for people and for programs."""

import json
import re
from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.findings import fingerprint
from openapi.diff.reports.report import Report
from openapi.diff.rules import RULES
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document, with_body

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
        "pointer": "/paths/~1x/post/requestBody/content/application~1json/schema/properties/a/enum",
        "document": "new",
        "operations": ["POST /x"],
        "sentence": 'body /a may no longer be "y".',
        "why": "A request that was accepted may be refused.",
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
    assert narrowed.as_text().startswith("old.yaml to new.yaml: major, breaking\n\nmajor  body /a may no longer be ")
    assert "\n- body /a may no longer be " in narrowed.as_markdown()
    assert "<h1>old.yaml to new.yaml: major, breaking</h1>" in narrowed.as_html()
    for text in (narrowed.as_text(), narrowed.as_markdown(), narrowed.as_html().replace("&#34;", '"')):
        assert "The old contract accepts this, the new one refuses it:" in text
        assert '{"a": "y"}' in text


def test_a_report_without_changes_says_so() -> None:
    """It says so in each format."""
    same = report(document(), document())
    assert same.as_json["class"] == "none"
    for text in (same.as_text(), same.as_markdown(), same.as_html()):
        assert "No request and no response changed." in text


def test_texts_of_a_document_inject_nothing() -> None:
    """Neither into a terminal, nor into a page, nor into rendered Markdown."""
    hostile = report(document(), with_body({"type": "object"}, path=f"/{HOSTILE}"))
    assert "\x1b" not in hostile.as_text() + hostile.as_markdown()
    assert "<script" not in hostile.as_html()
    assert not re.search(r"(?<![\\`])<script", hostile.as_markdown())


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


@pytest.mark.parametrize("count", [5, 6])
def test_many_changed_texts_are_counted(count: int) -> None:
    """Text and Markdown list at most five; JSON has all."""
    old, new = (
        document(**{f"p{number}": {"get": {"summary": summary, "responses": {}}} for number in range(count)})
        for summary in ("One", "Other")
    )
    report = Report.of(old, new, ("1", "2"))
    assert len(report.as_json["changes"]) == count
    for text in (report.as_text(), report.as_markdown()):
        assert text.count("the text of get/summary changed") == (5 if count == 5 else 0)
        assert ("6 texts changed, which only readers of the document see." in text) is (count == 6)
        assert "No request" not in text
