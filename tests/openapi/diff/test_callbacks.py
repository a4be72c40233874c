"""What a server sends to clients, and what they answer: compared the other way round."""

from typing import Any

from openapi.contract import Document
from openapi.diff.reports.report import Report
from openapi.diff.reports.text_report import text_report
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document


def calling(**operation: Any) -> Document:
    """A document with a callback of `operation`."""
    callbacks = {"done": {"{$request.query.url}": {"post": {"responses": {}, **operation}}}}
    return document(x={"get": {"responses": {}, "callbacks": callbacks}})


def texts(length: int) -> dict[str, Any]:
    """A body of texts up to `length`."""
    return {"content": {"application/json": {"schema": {"type": "string", "maxLength": length}}}}


def test_a_proof_is_a_request_to_a_client() -> None:
    """The new document allows it, and the old one does not."""
    report = Report.of(calling(requestBody=texts(1)), calling(requestBody=texts(2)), ("1", "2"))
    [change] = report.changes
    assert (change.is_in_new, change.direction, change.operations) == (False, "response", ("GET /x",))
    assert sentence(change) == "callback done body has maxLength 2; it was 1"
    assert change.witness
    assert change.witness.message == 'POST / HTTP/1.1\nContent-Type: application/json\n\n"aa"'
    assert "The new contract allows this message, the old one does not:" in text_report(report)


def test_a_proof_is_an_answer_of_a_client() -> None:
    """The old document allows it, and the new one does not."""
    answers = ({"200": {"description": "Ok.", **texts(length)}} for length in (2, 1))
    old, new = (calling(responses=responses) for responses in answers)
    [change] = Report.of(old, new, ("1", "2")).changes
    assert (change.is_in_new, change.direction, change.old, change.new) == (True, "request", 2, 1)
    assert sentence(change) == "callback done response 200 has maxLength 1; it was 2"
    assert change.witness
    assert change.witness.message == 'HTTP/1.1 200\nContent-Type: application/json\n\n"aa"'


def test_a_default_and_a_discriminator_of_a_callback() -> None:
    """They are turned, too: a client is no server that relies on a default."""

    def sent(schema: dict[str, Any]) -> Document:
        return calling(requestBody={"content": {"application/json": {"schema": schema}}})

    plain = {"type": "object", "properties": {"a": {"type": "string"}}}
    full = {"type": "object", "properties": {"a": {"type": "string", "default": "b"}}, "discriminator": {}}
    report = Report.of(sent(plain), sent(full), ("1", "2"))
    assert [(change.rule, change.new, change.is_break) for change in report.changes] == [
        ("response-default-added", ["b"], False),
        ("response-discriminator-added", None, False),
    ]


def test_a_change_of_messages_is_told_with_what_it_concerns() -> None:
    """Media types and parameters by their names."""
    header = {"in": "header", "name": "Key", "schema": {}}
    both = {"content": {**texts(1)["content"], "text/plain": {}}}
    report = Report.of(calling(requestBody=texts(1)), calling(requestBody=both, parameters=[header]), ("1", "2"))
    assert [(sentence(change), change.is_break) for change in report.changes] == [
        ("callback done body may now be text/plain", True),
        ("callback done header parameter Key is new", False),
    ]


def test_a_media_type_that_a_client_may_not_answer_in_any_more_is_a_break() -> None:
    """No client asks for the type of its own answer."""
    both = {"200": {"description": "Ok.", "content": {**texts(1)["content"], "text/plain": {}}}}
    one = {"200": {"description": "Ok.", **texts(1)}}
    [change] = Report.of(calling(responses=both), calling(responses=one), ("1", "2")).changes
    assert (sentence(change), change.is_break) == ("callback done response 200 may no longer be text/plain", True)


def test_the_authentication_of_a_document_is_not_that_of_its_callbacks() -> None:
    """A client authenticates a server only as the callback says."""
    scheme = {"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Key"}}}}
    required: dict[str, Any] = {"security": [{"key": []}]}
    old = Document("", {**calling().document, **scheme})
    new = Document("", {**calling(**required).document, **scheme, **required})
    subjects = [change.subject for change in Report.of(old, new, ("1", "2")).changes]
    assert subjects == ["authentication", "callback done authentication"]
    unsaid = Document("", {**calling().document, **scheme, "security": [{"key": []}]})
    assert [change.subject for change in Report.of(old, unsaid, ("1", "2")).changes] == ["authentication"]
