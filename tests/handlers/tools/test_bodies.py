"""The documents in the body of a request: JSON, a form with files, or the whole body."""

import json
from typing import Any

import pytest

from handlers.tools.bodies import MOST_BYTES, content_type, documents, most_bytes
from handlers.tools.messages import Refused
from openapi.problems import TABLE, Problem
from tests.handlers.tools.documents import MULTIPART, form, pair, part

JSON = "application/json"
PAIR = ("old", "new")
ONE = ("document",)


def test_a_pair_comes_in_json_or_in_a_form() -> None:
    """The order in the body does not matter; a form keeps each byte."""
    assert documents(JSON, b'{"new": "b", "old": "\\u00e9"}', PAIR) == {"old": "é".encode(), "new": b"b"}
    sent = {"new": b"b\r\n--BOUND\n\xff\x00", "old": b""}
    read = documents(MULTIPART, form(**sent), PAIR)
    assert read == sent
    assert list(read) == ["old", "new"]


def test_a_single_document_is_the_body_or_a_file() -> None:
    """JSON is not read as an envelope then."""
    assert documents(JSON, b'{"document": "a"}', ONE) == {"document": b'{"document": "a"}'}
    assert documents(MULTIPART, form(document="a: 1"), ONE) == {"document": b"a: 1"}


def test_a_field_of_a_form_is_a_document_too() -> None:
    """As `curl -F "old=<a.yaml"` sends it."""
    field = b'--BOUNDARY\r\nContent-Disposition: form-data; name="document"\r\n\r\na\r\n--BOUNDARY--'
    assert documents(MULTIPART, field, ONE) == {"document": b"a"}


@pytest.mark.parametrize(
    ("media_type", "body", "names", "expected"),
    [
        (JSON, b"{}", PAIR, "the texts old and new"),
        (JSON, b"[]", PAIR, "the texts old and new"),
        (JSON, b'{"old": {}, "new": "a"}', PAIR, "the texts old and new"),
        (JSON, b'{"old": "a", "new": "b", "newer": "c"}', PAIR, "the texts old and new"),
        (MULTIPART, form(old="a"), PAIR, "the files old and new"),
        (MULTIPART, form(old="a", new="b", other="c"), PAIR, "the files old and new"),
        (MULTIPART, form(other="c"), ONE, "the file document"),
    ],
)
def test_other_documents_are_refused(media_type: str, body: bytes, names: tuple[str, ...], expected: str) -> None:
    """A missing one, one too many, and one that is no text."""
    with pytest.raises(Refused) as refused:
        documents(media_type, body, names)
    assert (refused.value.code, refused.value.parameters) == ("documents_expected", {"expected": expected})


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b"", "it does not end with its boundary", id="empty"),
        pytest.param(b"\xff\x00" * 500, "it does not end with its boundary", id="no form"),
        pytest.param(form(old="a")[:-9], "it does not end with its boundary", id="cut off"),
        pytest.param(b"--BOUNDARY\r\n\xff: x\r\n\r\na\r\n--BOUNDARY--", "it does not end", id="a name not in UTF-8"),
        pytest.param(b"--BOUNDARY\r\n" + b"x" * MOST_BYTES, "it does not end", id="a header without an end"),
        pytest.param(b"--BOUNDARY\r\nX: y\r\n\r\na\r\n--BOUNDARY--", "a part has no Content-Disposition", id="no name"),
        pytest.param(part("old", "a") + form(old="b"), "two of its parts have the same name", id="a file twice"),
        pytest.param(part("old", "a") * 5000 + form(), "it has more than 10 parts", id="many parts"),
    ],
)
def test_a_malformed_form_is_refused(body: bytes, detail: str) -> None:
    """With the reason, and nothing of the form."""
    with pytest.raises(Refused) as refused:
        documents(MULTIPART, body, PAIR)
    assert refused.value.code == "malformed_form"
    assert str(refused.value.parameters["detail"]).startswith(detail)


@pytest.mark.parametrize(
    "media_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="(é"',
        "multipart/form-data; boundary*=utf-8''%E2%82%AC",
    ],
)
def test_a_form_without_a_usable_boundary_is_refused(media_type: str) -> None:
    """There is no place where its parts begin."""
    with pytest.raises(Refused):
        documents(media_type, form(old="a", new="b"), PAIR)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"old": "a", "old": "b"}', b'{"old": "\\ud800"}', b'{"old": "\\u0000"}', b"[" * 100_000],
)
def test_malformed_json_is_refused(body: bytes) -> None:
    """Duplicate names and lone surrogates count as malformed."""
    with pytest.raises(Refused) as refused:
        documents(JSON, body, PAIR)
    assert refused.value.code == "malformed_json"
    assert refused.value.parameters.keys() == {"detail"}


def test_each_document_has_a_limit_of_its_own() -> None:
    """The other one does not count, nor does what JSON adds to it."""
    largest = "\n" * MOST_BYTES
    body = pair(largest, largest)
    assert len(body) <= most_bytes(PAIR)
    assert documents(JSON, body, PAIR)["new"] == largest.encode()
    with pytest.raises(Refused) as refused:
        documents(JSON, pair("a", largest + "\n"), PAIR)
    assert TABLE[refused.value.code].status == 413
    assert refused.value.parameters == {"size": MOST_BYTES + 1, "limit": MOST_BYTES}


@pytest.mark.parametrize(
    ("declared", "is_accepted"),
    [
        ([b"application/json"], True),
        ([b"Application/JSON; charset=utf-8"], True),
        ([b"multipart/form-data; boundary=x"], True),
        ([b"text/plain"], False),
        ([b"application/x-www-form-urlencoded"], False),
        ([b""], False),
        ([], False),
        ([b"application/json", b"application/json"], False),
    ],
)
def test_the_body_has_one_of_two_media_types(declared: list[bytes], is_accepted: bool) -> None:
    """Others get 415, with the accepted ones."""
    scope: dict[str, Any] = {"headers": [(b"content-type", value) for value in declared]}
    if is_accepted:
        assert content_type(scope, [JSON, "multipart/form-data"]).encode() == declared[0]
    else:
        with pytest.raises(Problem, match="unsupported_media_type") as problem:
            content_type(scope, [JSON, "multipart/form-data"])
        assert problem.value.help == "Send the body with application/json or multipart/form-data."


def test_json_in_a_form_is_a_document() -> None:
    """Only the Content-Type of the whole body counts."""
    text = json.dumps({"old": "a"})
    assert documents(MULTIPART, form(document=text), ONE) == {"document": text.encode()}
