"""Bodies that tools, mistakes and attackers send: each is refused with a reason, or stored unchanged."""

import gzip
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from openapi.requests.body import DEFAULT_BODY_BYTES
from openapi.standards.ijson import MAX_CHARACTERS, MAX_DEPTH
from tests.contract_client import ContractClient
from tests.examples import EVENT, OLDEST, PATH
from tests.service import Service

JSON = {"Content-Type": "application/json"}
WIDGET = EVENT["widget_id"]
TEXT = json.dumps(EVENT)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[ContractClient]:
    """One client for all of these tests: creating one takes longer than most of them."""
    with service.client() as client:
        yield client


def with_metadata(text: str) -> str:
    """An event as JSON text with the metadata `text`."""
    return f'{TEXT[:-1]}, "metadata": {text}}}'


def of_size(size: int) -> bytes:
    """An event of `size` bytes."""
    shortest = with_metadata('{"x": ""}')
    return with_metadata('{"x": "%s"}' % ("x" * (size - len(shortest)))).encode()


def nested(depth: int) -> str:
    """An event of `depth` levels, arrays and objects in turn, with more brackets next to them."""
    opened = "".join('{"x":' if level % 2 else "[" for level in range(depth - 2))
    closed = "".join("}" if level % 2 else "]" for level in reversed(range(depth - 2)))
    return with_metadata('{"x":' + opened + "1" + closed + ', "y": [[], {}]}')


def in_chunks(content: bytes, size: int) -> Iterator[bytes]:
    """`content` in pieces of `size` bytes: httpx sends each as a chunk."""
    return (content[start : start + size] for start in range(0, len(content), size))


def exactly(text: str) -> Any:
    """The value of JSON with its decimals as written, not rounded to a double."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def refusal(client: ContractClient, service: Service, **request: Any) -> httpx.Response:
    """The response to a request that must store no event."""
    started = datetime.now(UTC)
    response = client.post(PATH, **{"headers": JSON} | request)
    assert service.events("received_at >= %s", started) == []
    return response


def stored_row(client: ContractClient, service: Service, **request: Any) -> dict[str, Any]:
    """The row of the event that a request stored."""
    response = client.post(PATH, **{"headers": JSON} | request)
    assert response.status_code == 201, response.text
    (row,) = service.events("id = %s", response.json()["id"])
    return row


def stored_text(service: Service, identifier: Any) -> str:
    """The metadata of an event as the database has it."""
    with psycopg.connect(service.database_url) as connection:
        query = "SELECT metadata::text FROM interaction_events WHERE id = %s"
        row = connection.execute(query, [identifier]).fetchone()
    assert row
    return str(row[0])


# Bodies that are not JSON, or are ambiguous


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b" \r\n\t", "Expecting value", id="blanks"),
        pytest.param(b"widget_id=1&event_type=clicked", "Expecting value", id="form"),
        pytest.param(TEXT[:-1], "Expecting ',' delimiter", id="truncated"),
        pytest.param(TEXT + TEXT, "Extra data", id="two-events"),
        pytest.param(TEXT[:-1] + ",}", "", id="trailing-comma"),
        pytest.param("// comment\n" + TEXT, "Expecting value", id="comment"),
        pytest.param(TEXT.replace('"', "'"), "Expecting property name", id="single-quotes"),
        pytest.param(TEXT.replace("clicked", "click\ned"), "control character", id="raw-newline"),
        pytest.param(TEXT.replace("clicked", r"click\xed"), "escape", id="bad-escape"),
        pytest.param(with_metadata('{"n": 01}'), "delimiter", id="leading-zero"),
        pytest.param(with_metadata('{"n": +1}'), "Expecting value", id="plus"),
        pytest.param(with_metadata('{"n": .5}'), "Expecting value", id="no-integer-part"),
        pytest.param(with_metadata('{"n": 0x10}'), "delimiter", id="hexadecimal"),
        pytest.param(with_metadata('{"n": \uff11}'), "Expecting value", id="full-width-digit"),
        pytest.param(with_metadata('{"n": NaN}'), "NaN is not", id="NaN"),
        pytest.param(with_metadata('{"n": Infinity}'), "Infinity is not", id="Infinity"),
        pytest.param(with_metadata('{"n": -Infinity}'), "-Infinity is not", id="minus-Infinity"),
        pytest.param("NaN", "NaN is not", id="NaN-alone"),
        pytest.param("\ufeff" + TEXT, "a byte order mark", id="UTF-8-with-BOM"),
        pytest.param(TEXT.encode("utf-16"), "not UTF-8", id="UTF-16-with-BOM"),
        pytest.param(TEXT.encode("utf-16-le"), "", id="UTF-16-LE"),
        pytest.param(TEXT.encode("utf-16-be"), "", id="UTF-16-BE"),
        pytest.param(TEXT.encode("utf-32"), "not UTF-8", id="UTF-32-with-BOM"),
        pytest.param(TEXT.encode("utf-32-le"), "", id="UTF-32-LE"),
        pytest.param(with_metadata('{"x": "é"}').encode("latin-1"), "not UTF-8", id="Latin-1"),
        pytest.param(TEXT.encode() + b"\xff", f"byte {len(TEXT)} is not UTF-8", id="bad-UTF-8"),
        pytest.param(TEXT.encode().replace(b"clicked", b"click\xc1\xa5d"), "not UTF-8", id="overlong-UTF-8"),
        pytest.param(TEXT.encode().replace(b"clicked", b"\xed\xa0\x80"), "not UTF-8", id="surrogate-in-UTF-8"),
        pytest.param(TEXT.encode().replace(b"clicked", b"\xe2\x82"), "not UTF-8", id="half-a-character"),
        pytest.param(TEXT[:-1] + ', "event_type": "viewed"}', "event_type", id="duplicate-name"),
        pytest.param(TEXT[:-1] + r', "event\u005ftype": "viewed"}', "event_type", id="duplicate-name-escaped"),
        pytest.param(with_metadata('{"a": [{"b": 1, "b": 1}]}'), '"b" occurs more than once', id="duplicate-within"),
        pytest.param("[" * 60_000, "nested", id="60,000-brackets"),
        pytest.param('{"a":' * 10_000, "nested", id="10,000-braces"),
        pytest.param("[" * 30_000 + "]" * 30_000, "nested", id="30,000-pairs"),
        pytest.param(nested(MAX_DEPTH + 1), "nested more than 32 levels", id="33-levels"),
        pytest.param(nested(1000), "nested more than 32 levels", id="1,000-levels"),
    ],
)
def test_a_body_that_is_not_json_is_not_stored(
    client: ContractClient, service: Service, content: str | bytes, reason: str
) -> None:
    """400 names the fault of the text."""
    response = refusal(client, service, content=content)
    assert response.status_code == 400
    assert response.json()["error"].startswith("the body cannot be read as JSON: ")
    assert reason in response.json()["error"]


def test_a_hundred_thousand_brackets_are_too_many_bytes(client: ContractClient, service: Service) -> None:
    """413: their number alone is beyond the limit."""
    assert refusal(client, service, content="[" * 100_000).status_code == 413


@pytest.mark.parametrize("content", ["null", "true", "0", '""', "[]", f"[{TEXT}]", json.dumps(TEXT)])
def test_json_that_is_no_object_is_not_stored(client: ContractClient, service: Service, content: str) -> None:
    """422 names the required type of the body."""
    response = refusal(client, service, content=content)
    assert response.status_code == 422
    assert response.json()["error"] == "the body must be an object"


# Values that cannot be stored unchanged


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(with_metadata('{"n": 1e600}'), "metadata/n: the number 1e600 cannot", id="1e600"),
        pytest.param(with_metadata('{"n": -1e600}'), "metadata/n: the number -1e600 cannot", id="minus-1e600"),
        pytest.param(with_metadata('{"n": 1e-600}'), "metadata/n: the number 1e-600 cannot", id="1e-600"),
        pytest.param(with_metadata('{"n": 1e131000}'), "metadata/n: the number 1e131000 cannot", id="1e131000"),
        pytest.param(with_metadata('{"n": 1e99999999999999999999}'), "metadata/n: the number 1e9", id="huge-exponent"),
        pytest.param(
            with_metadata('{"n": 0.%s}' % ("1" * 1100)), "metadata/n: the number 0.111", id="1,100-decimal-places"
        ),
        pytest.param(with_metadata('{"n": %s}' % ("9" * 5000)), "metadata/n: the number 9999", id="5,000-digits"),
        pytest.param(
            with_metadata('{"n": [0, -%s]}' % ("9" * MAX_CHARACTERS)), "metadata/n/1: the number", id="1,100-digits"
        ),
        pytest.param(TEXT.replace('"clicked"', "9" * 5000), "event_type: the number", id="5,000-digits-as-event-type"),
        pytest.param("9" * 5000, "the body: the number", id="5,000-digits-alone"),
        pytest.param(with_metadata(r'{"x": "\ud800"}'), "metadata/x: the character U+D800", id="lone-high-surrogate"),
        pytest.param(with_metadata(r'{"x": "\udfff"}'), "metadata/x: the character U+DFFF", id="lone-low-surrogate"),
        pytest.param(with_metadata(r'{"x": "\ude00\ud83d"}'), "metadata/x: the character U+DE00", id="reversed-pair"),
        pytest.param(
            with_metadata(r'{"\ud800": 1}'), "metadata/\ufffd: the character U+D800", id="surrogate-in-a-name"
        ),
        pytest.param(TEXT.replace("clicked", r"\udead"), "event_type: the character", id="surrogate-as-event-type"),
        pytest.param(with_metadata(r'{"x": "a\u0000b"}'), "metadata/x: the character U+0000", id="NUL"),
        pytest.param(with_metadata(r'{"a\u0000": 1}'), "metadata/a\ufffd: the character U+0000", id="NUL-in-a-name"),
        pytest.param(TEXT.replace("clicked", r"clicked\u0000"), "event_type: the character", id="NUL-in-event-type"),
        pytest.param(TEXT.replace(WIDGET, WIDGET + r"\u0000"), "widget_id: the character", id="NUL-in-widget-id"),
    ],
)
def test_a_value_that_cannot_be_stored_unchanged_is_refused(
    client: ContractClient, service: Service, content: str, error: str
) -> None:
    """422 names the field."""
    response = refusal(client, service, content=content)
    assert response.status_code == 422
    assert response.json()["error"].startswith(error)


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param('{"n": [12345678901234567890, -98765432109876543210]}', id="20-digits"),
        pytest.param('{"n": [9223372036854775808, 18446744073709551616]}', id="beyond-64-bits"),
        pytest.param('{"n": %s}' % ("9" * MAX_CHARACTERS), id="1,100-digits"),
        pytest.param('{"n": 0.1000000000000000055511151231257827021181583404541015625}', id="each-digit-of-a-double"),
        pytest.param('{"n": [0.10000000000000001, 18446744073709551616]}', id="with-a-large-integer"),
        pytest.param('{"n": [0.1, -2.5e-7, 1.7976931348623157e308, 5e-324, 1E2, 123456789.125]}', id="decimals"),
        pytest.param('{"n": [1e400, 1e-400, -1e400, 0.10000000000000001, 9007199254740993.0]}', id="not-doubles"),
        pytest.param(
            '{"n": 0.1000000000000000055511151231257827021181583404541015625, "m": 18446744073709551616}',
            id="each-digit-of-a-double",
        ),
        pytest.param('{"n": [true, false, null, 1, 0, ""]}', id="constants"),
        pytest.param(r'{"x": "\ud83d\ude00 \u00e9 \uffff \\u0000 \n\t\u001f"}', id="escapes"),
        pytest.param('{"x": "é 😀 \uffff \u202e \u2028 e\u0301 \x7f"}', id="raw-characters"),
        pytest.param('{"": 1, " ": 2, "__proto__": {}, "a.b": 3, "a/b~": 4, "$ref": "x", "é": 5}', id="odd-names"),
        pytest.param("""{"x": "'; DROP TABLE interaction_events; --", "y": "%s %(z)s {0} :name $1"}""", id="SQL"),
        pytest.param('{"x": [' + "[]," * 5000 + "[]]}", id="many-brackets"),
        pytest.param('{"x": "%s"}' % ("[{" * 5000), id="brackets-in-text"),
        pytest.param(nested(MAX_DEPTH).split('"metadata": ')[1][:-1], id="32-levels"),
    ],
)
def test_other_values_are_stored_unchanged(client: ContractClient, service: Service, metadata: str) -> None:
    """Every digit, character, name and level is read back unchanged."""
    identifier = stored_row(client, service, content=with_metadata(metadata))["id"]
    assert exactly(stored_text(service, identifier)) == exactly(metadata)


# Declarations of a body


@pytest.mark.parametrize(
    "media_type",
    [
        *("application/json", "Application/JSON", "APPLICATION/JSON", "application/json;charset=utf-8"),
        *('Application/Json ; Charset="UTF-8"', "application/json; charset=utf8", "application/json; charset=US-ASCII"),
        *("application/json; profile=x", "application/json;"),
    ],
)
def test_every_spelling_of_the_media_type_of_json_is_accepted(
    client: ContractClient, service: Service, media_type: str
) -> None:
    """The case of a media type does not matter: a valid body is stored, an invalid one is refused."""
    headers = {"Content-Type": media_type}
    assert stored_row(client, service, headers=headers, content=TEXT)["event_type"] == "clicked"
    response = refusal(client, service, headers=headers, content=TEXT.replace(WIDGET, "1"))
    assert (response.status_code, response.json()["error"]) == (
        422,
        "widget_id is not a UUID of five groups of hexadecimal digits with hyphens",
    )


@pytest.mark.parametrize(
    "media_types",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="empty"),
        pytest.param(["application/json", "application/json"], id="twice"),
        pytest.param(["application/json", "text/plain"], id="two"),
        pytest.param(["application/json, text/plain"], id="list"),
        pytest.param(["text/plain"], id="text"),
        pytest.param(["text/json"], id="text/json"),
        pytest.param(["application/x-www-form-urlencoded"], id="form"),
        pytest.param(["multipart/form-data; boundary=x"], id="multipart"),
        pytest.param(["application/problem+json"], id="problem+json"),
        pytest.param(["application/jsonx"], id="jsonx"),
        pytest.param(["application/*"], id="range"),
        pytest.param(["json"], id="json"),
        pytest.param(["text/plain; application/json"], id="as-parameter"),
        pytest.param(["application/json; charset=utf-16"], id="UTF-16"),
        pytest.param(["application/json; charset=ISO-8859-1"], id="Latin-1"),
        pytest.param(["application/json; charset=no-such-charset"], id="unknown-charset"),
    ],
)
def test_another_media_type_is_not_stored(client: ContractClient, service: Service, media_types: list[str]) -> None:
    """415 names the received media type."""
    headers = [("Content-Type", media_type) for media_type in media_types]
    response = refusal(client, service, headers=headers, content=TEXT)
    assert response.status_code == 415
    assert (media_types[0].split("=")[-1].lower() or "''" if media_types else "(none)") in response.json()["error"]


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "deflate", "br", "gzip, identity", "x"])
@pytest.mark.parametrize("content", [TEXT.encode(), gzip.compress(TEXT.encode())], ids=["plain", "compressed"])
def test_a_coded_body_is_not_stored(client: ContractClient, service: Service, coding: str, content: bytes) -> None:
    """415 names the accepted codings, whether the body is coded or only declared so; 1.1 accepts gzip if it is gzip."""
    headers = JSON | {"Content-Encoding": coding}
    if service.version != OLDEST and "gzip" in coding.lower():
        if content == TEXT.encode():
            assert refusal(client, service, headers=headers, content=content).status_code == 400
        else:
            stored_row(client, service, headers=headers, content=content)
        return
    response = refusal(client, service, headers=headers, content=content)
    assert response.status_code == 415
    assert coding in response.json()["error"]
    accepted = "identity" if service.version == OLDEST else "gzip, identity"
    assert response.headers["accept-encoding"] == accepted


def test_a_body_with_the_coding_identity_is_stored(client: ContractClient, service: Service) -> None:
    """`identity` means no coding."""
    stored_row(client, service, headers=JSON | {"Content-Encoding": "Identity"}, content=TEXT)


def test_an_undeclared_coding_is_not_guessed(client: ContractClient, service: Service) -> None:
    """400: a compressed body without a declaration is not UTF-8."""
    assert refusal(client, service, content=gzip.compress(TEXT.encode())).status_code == 400


# Size of a body


@pytest.mark.parametrize("chunk", [None, 100, DEFAULT_BODY_BYTES], ids=["length", "chunks", "one-chunk"])
def test_a_body_may_have_64_kib(client: ContractClient, service: Service, chunk: int | None) -> None:
    """65,536 bytes are stored, with or without a Content-Length."""
    content = of_size(DEFAULT_BODY_BYTES)
    row = stored_row(client, service, content=content if chunk is None else in_chunks(content, chunk))
    assert row["metadata"] == json.loads(content)["metadata"]


@pytest.mark.parametrize("size", [DEFAULT_BODY_BYTES + 1, 1_000_000])
@pytest.mark.parametrize("chunk", [None, 1000, 100_000], ids=["length", "chunks", "large-chunks"])
def test_a_body_beyond_64_kib_is_not_stored(
    client: ContractClient, service: Service, size: int, chunk: int | None
) -> None:
    """413 names the limit, and the size if it was declared."""
    content = of_size(size)
    response = refusal(client, service, content=content if chunk is None else in_chunks(content, chunk))
    assert response.status_code == 413
    assert "the limit is 65536 bytes" in response.json()["error"]
    assert chunk or f"the body has {size} bytes" in response.json()["error"]


# UUIDs


@pytest.mark.parametrize("field", ["widget_id", "actor_id"])
@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param(f"urn:uuid:{WIDGET}", id="urn"),
        pytest.param("{" + WIDGET + "}", id="braces"),
        pytest.param(WIDGET.replace("-", ""), id="no-hyphens"),
        pytest.param(WIDGET.replace("-", "_"), id="underscores"),
        pytest.param("5b0e3c9a6-a57-4d0b-8f6f-2b7a1c0d9e11", id="hyphens-elsewhere"),
        pytest.param(
            WIDGET.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}), id="full-width-digits"
        ),
        pytest.param(WIDGET.replace("b0", "b\u0660"), id="Arabic-digit"),
        pytest.param(WIDGET.replace("a", "g"), id="not-hexadecimal"),
        pytest.param(WIDGET[:-1], id="too-short"),
        pytest.param(WIDGET + "0", id="too-long"),
        pytest.param(WIDGET + "\n", id="newline"),
        pytest.param(" " + WIDGET, id="space"),
        pytest.param("", id="empty"),
    ],
)
def test_another_form_of_uuid_is_not_stored(
    client: ContractClient, service: Service, field: str, identifier: str
) -> None:
    """422 names the field: only the form of RFC 9562 is accepted."""
    response = refusal(client, service, json=EVENT | {field: identifier})
    assert (response.status_code, response.json()["error"]) == (
        422,
        f"{field} is not a UUID of five groups of hexadecimal digits with hyphens",
    )


def test_a_uuid_may_be_written_in_upper_case(client: ContractClient, service: Service) -> None:
    """RFC 9562 accepts both; it is stored, and the response has lower case."""
    response = client.post(PATH, json=EVENT | {"widget_id": WIDGET.upper(), "actor_id": WIDGET.upper()})
    assert response.json()["widget_id"] == WIDGET
    (row,) = service.events("id = %s", response.json()["id"])
    assert str(row["widget_id"]) == str(row["actor_id"]) == WIDGET


# Date-times


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T23:59:00+23:59", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("9999-12-31T00:00:59-23:59", "9999-12-31T23:59:59Z"),
        ("2026-03-31t12:00:00z", "2026-03-31T12:00:00Z"),
        ("2026-03-31T12:00:00-00:00", "2026-03-31T12:00:00Z"),
        ("2026-03-31T12:00:00.1Z", "2026-03-31T12:00:00.100000Z"),
        ("2026-03-31T12:00:00.123456789012Z", "2026-03-31T12:00:00.123456Z"),
        ("2026-03-31T23:59:59.9999999Z", "2026-03-31T23:59:59.999999Z"),
        ("2024-02-29T00:30:00+01:00", "2024-02-28T23:30:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T08:59:60.5+09:00", "2017-01-01T00:00:00.500000Z"),
        ("2026-03-31T12:00Z", "2026-03-31T12:00:00Z"),
        ("2026-03-31T12:00+0200", "2026-03-31T10:00:00Z"),
        ("2026-03-31T12:00:00-03", "2026-03-31T15:00:00Z"),
        ("2026-03-31T12:00:00,123456789Z", "2026-03-31T12:00:00.123456Z"),
    ],
)
def test_a_timestamp_is_kept(
    client: ContractClient, service: Service, monkeypatch: pytest.MonkeyPatch, sent: str, instant: str
) -> None:
    """The first and last instant, every offset and fraction, short forms and leap seconds are stored as instants."""
    monkeypatch.setenv("PGTZ", "UTC")  # in other zones the extremes could be stored, but not read back
    response = client.post(PATH, json=EVENT | {"occurred_at": sent})
    assert response.json()["occurred_at"] == instant
    (row,) = service.events("id = %s", response.json()["id"])
    assert row["occurred_at"] == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    "sent",
    [
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:00-00:01", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z"),
        *("10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "+2026-03-31T12:00:00Z", "26-03-31T12:00:00Z"),
        *("2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-03-31T24:00:00Z", "2026-03-31T12:60:00Z"),
        *("2026-03-31T12:00:60Z", "2016-12-31T23:59:61Z", "2016-12-31T23:59:60+01:00"),
        *("2026-03-31T12:00:00", "2026-03-31 12:00:00Z", "2026-03-31T12:00:00+24:00"),
        *(
            "2026-03-31T12:00:00+01:60",
            "2026-03-31T12:00:00.Z",
            "20260331T120000Z",
            "2026-03-31",
        ),
        *("2026-W14-2T12:00:00Z", "2026-03-31T12:00:00Z\n", " 2026-03-31T12:00:00Z", "2026-03-31T12:00:00\u221201:00"),
        *("\uff12026-03-31T12:00:00Z", "2026-03-31T12:00:00UTC", "infinity", "-infinity", "now", "1774958400", ""),
    ],
)
def test_another_form_of_timestamp_is_not_stored(client: ContractClient, service: Service, sent: str) -> None:
    """422 names the field, and the help shows a timestamp that is accepted: the service itself guesses nothing."""
    response = refusal(client, service, json=EVENT | {"occurred_at": sent})
    assert (response.status_code, response.json()["error"]) == (
        422,
        "occurred_at is not an ISO 8601 timestamp with a time zone",
    )
    timestamp = response.json()["help"].rpartition(" ")[2].removesuffix(".")
    assert client.post(PATH, json=EVENT | {"occurred_at": timestamp}).status_code == 201


# Values of another type


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *itertools.product(
            ["widget_id", "event_type", "occurred_at", "actor_id", "actor_type", "metadata"], [True, 1e308, ["x"]]
        ),
        *itertools.product(["widget_id", "event_type", "occurred_at"], [None]),
    ],
    ids=json.dumps,
)
def test_a_value_of_another_type_is_not_stored(
    client: ContractClient, service: Service, field: str, value: object
) -> None:
    """422 names the field and its type."""
    response = refusal(client, service, json=EVENT | {field: value})
    assert response.status_code == 422
    expected = "an object" if field == "metadata" else "a string"
    assert f"{field} must be {expected}" in response.json()["error"]
