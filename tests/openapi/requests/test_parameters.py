"""Parameters of path, query and header: reading their values, and refusing invalid ones."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from openapi.contract import ContractError
from openapi.problems import Problem
from openapi.requests.parameters import MAX_IN_QUERY, Parameters
from openapi.schemas.field_errors import UNKNOWN_CURSOR

UUID = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
TEXT = {"type": "string", "maxLength": 5}
DIGITS_ALONE = "Send limit as an integer, in the digits 0 to 9 alone, without +, blanks or zeros before it."
PLUS = "limit has the character U+0020. In a query + stands for a blank."


def parameter(name: str, location: str, schema: Any = None, **members: Any) -> dict[str, Any]:
    """A parameter object."""
    return {"name": name, "in": location, "schema": schema or TEXT, **members}


DECLARED = Parameters(
    [
        parameter("id", "path", {"type": "string", "format": "uuid"}, required=True),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}),
        parameter("name", "query"),
        parameter("all", "query", {"type": "boolean"}),
        parameter(
            "Idempotency-Key", "header", {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[ -~]+$"}
        ),
        parameter("X-Size", "header", {"type": "integer"}),
    ]
)


def read(
    parameters: Parameters = DECLARED, query: str | bytes = "", headers: Any = (), path: dict[str, str] | None = None
) -> dict[str, Any]:
    """The parameters of one request."""
    query = query if isinstance(query, bytes) else query.encode()
    return parameters.read(
        {"type": "http", "query_string": query, "headers": headers, "path_params": path or {"id": UUID}}
    )


def refused(**request: Any) -> tuple[str, int, str, str | None]:
    """Code, status, error and help of the Problem that `read` raises."""
    with pytest.raises(Problem) as caught:
        read(**request)
    problem = caught.value
    return problem.code, problem.status, problem.error, problem.help


def test_parameters_are_read_by_name() -> None:
    """Each value has its declared type; a parameter that was not sent is absent."""
    headers = [(b"idempotency-key", b"a b"), (b"x-size", b"-5"), (b"other", b"1")]
    assert read(query="limit=10&name=a%20%C3%A9+b&all=true", headers=headers) == {
        "id": UUID,
        "limit": 10,
        "name": "a é b",
        "all": True,
        "Idempotency-Key": "a b",
        "X-Size": -5,
    }
    assert read() == {"id": UUID}
    assert read(query="all=false&name=") == {"id": UUID, "all": False, "name": ""}


def test_white_space_around_a_header_is_ignored() -> None:
    """RFC 9110 section 5.5."""
    assert read(headers=[(b"idempotency-key", b" \tkey ")])["Idempotency-Key"] == "key"


@pytest.mark.parametrize(
    ("query", "error", "remedy"),
    [
        pytest.param("limit=x", "limit must be an integer", "Send limit as an integer.", id="no number"),
        pytest.param("limit=", "limit must be an integer", "Send limit as an integer.", id="nothing for a number"),
        pytest.param("limit=1.0", "limit must be an integer", DIGITS_ALONE, id="a fraction"),
        pytest.param("limit=1e2", "limit must be an integer", DIGITS_ALONE, id="an exponent"),
        pytest.param("limit=01", "limit must be an integer", DIGITS_ALONE, id="a leading zero"),
        pytest.param("limit=%2B1", "limit must be an integer", DIGITS_ALONE, id="a plus sign"),
        pytest.param("limit=1_0", "limit must be an integer", DIGITS_ALONE, id="an underscore"),
        pytest.param(
            "limit=%EF%BC%91",
            "limit must be an integer",
            f"limit has the character U+FF11. {DIGITS_ALONE}",
            id="full width",
        ),
        pytest.param(
            "limit=1%0A",
            "limit must be an integer",
            f"limit has the character U+000A. {DIGITS_ALONE}",
            id="a line break",
        ),
        pytest.param("limit=5+", "limit must be an integer", f"{PLUS} {DIGITS_ALONE}", id="a blank"),
        pytest.param("limit=+5", "limit must be an integer", f"{PLUS} {DIGITS_ALONE}", id="a lost plus sign"),
        pytest.param(
            "limit=%D9%A5", "limit must be an integer", f"limit has the character U+0665. {DIGITS_ALONE}", id="Arabic"
        ),
        pytest.param(
            "limit=" + "9" * 20, "limit is above 1000", "Send limit as a number of at most 1000.", id="20 digits"
        ),
        pytest.param(
            "limit=-" + "9" * 20, "limit is below 1", "Send limit as a number of at least 1.", id="20 digits and a sign"
        ),
        pytest.param(
            "limit=-" + "9" * 9000, "limit is below 1", "Send limit as a number of at least 1.", id="9,000 digits"
        ),
        pytest.param("unlimited=" + "9" * 20, "unknown parameter 'unlimited'", None, id="an unknown one of 20 digits"),
        pytest.param("limit=0", "limit is below 1", "Send limit as a number of at least 1.", id="below its bound"),
        pytest.param(
            "limit=9999999999999999999",
            "limit is above 1000",
            "Send limit as a number of at most 1000.",
            id="far above its bound",
        ),
        pytest.param("all=True", "all must be true or false", "Send all as true or false.", id="a capital"),
        pytest.param("all=1", "all must be true or false", "Send all as true or false.", id="a number for a truth"),
        pytest.param("name=abcdef", "name has 6 characters; the limit is 5", "Shorten name.", id="too long"),
        pytest.param("nam=a", "unknown parameter 'nam'", "Rename nam to name.", id="misspelt"),
        pytest.param("id=a", "unknown parameter 'id'", None, id="one of the path"),
        pytest.param("idempotency-key=a", "unknown parameter 'idempotency-key'", None, id="one of the header"),
        pytest.param("name=a&name=a", "name occurs 2 times", "Send name once.", id="twice"),
        pytest.param("name[]=a", "unknown parameter 'name[]'", None, id="a list"),
        pytest.param(
            f"{'z' * 61}=1&{'z' * 61}=1",
            f"{'z' * 59}\u2026 occurs 2 times",
            f"Send {'z' * 59}\u2026 once.",
            id="a long one, with the mark of its cut",
        ),
        pytest.param("zz=1&zz=1&zz=1", "zz occurs 3 times", "Send zz once.", id="an unknown one three times"),
        pytest.param(
            "n" * 90 + "=1", "unknown parameter '" + "n" * 59 + "\u2026'", None, id="an unknown one that is long"
        ),
        pytest.param(
            "name=a%00", "name has a character that cannot be stored", "Leave it out.", id="a U+0000 in the value"
        ),
        pytest.param(
            "name=%FF", "the query is not percent-encoded UTF-8", "Encode it as RFC 3986 describes.", id="no UTF-8"
        ),
        pytest.param(
            "name=%ED%A0%80",
            "the query is not percent-encoded UTF-8",
            "Encode it as RFC 3986 describes.",
            id="a surrogate",
        ),
        pytest.param(
            "name=é", "the query is not percent-encoded UTF-8", "Encode it as RFC 3986 describes.", id="not encoded"
        ),
        pytest.param(
            "&".join(["name=a"] * (MAX_IN_QUERY + 1)), "the query has more than 50 fields", "Send fewer.", id="many"
        ),
        pytest.param(
            "limit=x&all=2&a=1",
            "all must be true or false; limit must be an integer; unknown parameter 'a'",
            None,
            id="several",
        ),
    ],
)
def test_an_invalid_query_is_refused(query: str, error: str, remedy: str | None) -> None:
    """422 with every fault in the error, and the remedies in the help."""
    code, status, actual, help_ = refused(query=query)
    assert (code, status) == ("invalid_parameters", 422)
    assert sorted(actual.split("; ")) == sorted(error.split("; ")) or actual == error
    assert help_
    assert remedy in (None, help_)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        *(
            pytest.param(
                [(b"idempotency-key", value)],
                "Idempotency-Key is empty",
                id=name,
            )
            for name, value in (("empty", b""), ("blank", b"  "))
        ),
        pytest.param(
            [(b"idempotency-key", b"abcdef")], "Idempotency-Key has 6 characters; the limit is 5", id="too long"
        ),
        pytest.param(
            [(b"idempotency-key", b"\xe9")], "Idempotency-Key does not match the pattern ^[ -~]+$", id="no ASCII"
        ),
        pytest.param(
            [(b"idempotency-key", b"a\x1fb")], "Idempotency-Key does not match the pattern ^[ -~]+$", id="control"
        ),
        pytest.param([(b"idempotency-key", b"a")] * 2, "Idempotency-Key occurs 2 times", id="twice"),
        pytest.param([(b"x-size", b"1.0")], "X-Size must be an integer", id="no integer"),
        pytest.param([(b"x-size", b"\0")], "X-Size has a character that cannot be stored", id="U+0000"),
    ],
)
def test_an_invalid_header_is_refused(headers: list[tuple[bytes, bytes]], error: str) -> None:
    """Each declared header is validated, and may occur only once."""
    code, status, actual, help_ = refused(headers=headers)
    assert (code, status, actual) == ("invalid_parameters", 422, error)
    assert help_


@pytest.mark.parametrize(
    "identifier", ["", "x", UUID[:-1], UUID + "\n", UUID + "\0", f"{{{UUID}}}", "\ud800", "x" * 10**5]
)
def test_a_path_that_names_nothing_is_not_found(identifier: str) -> None:
    """404 instead of 422, because the path names the resource."""
    assert refused(path={"id": identifier})[:2] == ("not_found", 404)


def test_a_path_has_types_too() -> None:
    """A number in a path is read as a number, and a text must be storable."""
    number = Parameters([parameter("n", "path", {"type": "integer", "minimum": 1}, required=True)])
    assert read(number, path={"n": "12"}) == {"n": 12}
    assert refused(parameters=number, path={"n": "x"})[0] == "not_found"
    assert refused(parameters=number, path={"n": "0"})[0] == "not_found"
    text = Parameters([parameter("n", "path", required=True)])
    assert read(text, path={"n": "12"}) == {"n": "12"}
    assert refused(parameters=text, path={"n": "a\0"})[0] == "not_found"


def test_two_parameters_must_have_two_names() -> None:
    """A handler receives them by name, so it could not distinguish a name in the path from the same in the query."""
    with pytest.raises(ContractError, match="two parameters have the same name"):
        Parameters([parameter("id", "path"), parameter("ID", "query")])


def test_an_undeclared_query_is_ignored() -> None:
    """Without query parameters in the contract, any query has no effect."""
    parameters = Parameters([parameter("X-Size", "header", {"type": "integer"})])
    assert read(parameters, query=b"a=%FF&a=1&limit=x\xff" + b"&b" * 1000) == {}


def test_a_field_of_the_query_is_no_header_field() -> None:
    """If the contract declares both, a header parameter is not read from the query."""
    assert refused(query="limit=1&X-Size=5")[:3] == (
        "invalid_parameters",
        422,
        "X-Size is not a parameter of the query",
    )


def test_a_query_with_the_maximum_of_fields_is_read() -> None:
    """It has MAX_IN_QUERY fields."""
    names = [f"a{number}" for number in range(MAX_IN_QUERY)]
    parameters = Parameters([parameter(name, "query") for name in names])
    assert read(parameters, query="&".join(f"{name}=1" for name in names)) == dict.fromkeys(names, "1")


def test_a_plus_that_arrives_as_a_blank_is_shown() -> None:
    """The remedy has the value that arrived, and what a query has to have instead."""
    since = {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}
    parameters = Parameters([since])
    remedy = refused(parameters=parameters, query="since=2026-03-31T12:00:00+02:00")[3] or ""
    assert remedy.startswith(
        "since arrived as '2026-03-31T12:00:00 02:00': it has a space where the offset needs + or -."
    )
    assert remedy.endswith(
        "for example 2026-03-31T12:00:00+02:00. In a query write + as %2B: 2026-03-31T12:00:00%2B02:00."
    )


@pytest.mark.parametrize(
    ("since", "example"),
    [
        ("2026-13-31T12:00:00+02:00", "2026-03-31T12:00:00%2B02:00."),
        ("2026-13-31T12:00:00+05", "2026-03-31T12:00:00%2B05."),
        ("2026-03-31T12:00:00+99:00", "2026-03-31T12:00:00%2B02:00."),
    ],
    ids=["no such day", "no minutes", "no such offset"],
)
def test_a_lost_plus_is_shown_beside_another_fault(since: str, example: str) -> None:
    """The example has a plus, also if the timestamp cannot be repaired."""
    parameters = Parameters([{"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}])
    remedy = refused(parameters=parameters, query=f"since={since}")[3] or ""
    assert remedy.endswith(f"In a query write + as %2B: {example}")


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        (
            "a\u200b".encode(),
            "Idempotency-Key has the character U+200B. Send Idempotency-Key as a string of characters",
        ),
        ("\u00a0a".encode(), "Idempotency-Key has the character U+00A0. Send"),
        ("é".encode(), "Idempotency-Key has the character U+00E9. Send"),
        (b"\xe9", "Idempotency-Key has the character U+00E9. Send"),
        (b"a\x1fb", "Idempotency-Key has the character U+001F. Send"),
    ],
    ids=["invisible", "a blank that is not ASCII", "UTF-8", "ISO 8859-1", "control"],
)
def test_a_character_of_a_header_is_named(key: bytes, remedy: str) -> None:
    """By its code point, in UTF-8 or else ISO 8859-1, and the allowed ones in words."""
    help_ = refused(headers=[(b"idempotency-key", key)])[3] or ""
    assert help_.startswith(remedy)
    assert help_.endswith("Send Idempotency-Key as a string of characters from space to ~.")


@pytest.mark.parametrize("cursor", ["", "abc%2B", "%20abc", "abc%3D", "%EF%BB%BFabc", "a" * 401])
def test_a_damaged_cursor_is_one_that_no_list_returned(cursor: str) -> None:
    """The remedy is that of any other unknown cursor."""
    declared = parameter("cursor", "query", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,400}$"})
    assert refused(parameters=Parameters([declared]), query=f"cursor={cursor}")[2:] == UNKNOWN_CURSOR


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("CSV", "Did you mean 'csv'? Send format as one of csv, ndjson."),
        (
            "ndjson%E2%80%8B",
            "Did you mean 'ndjson'? The value has the character U+200B. Send format as one of csv, ndjson.",
        ),
        ("xml", "Send format as one of csv, ndjson."),
    ],
)
def test_the_nearest_value_is_named(text: str, remedy: str) -> None:
    """One that differs by case or by an invisible character."""
    declared = parameter("format", "query", {"type": "string", "enum": ["csv", "ndjson"]})
    assert refused(parameters=Parameters([declared]), query=f"format={text}")[3] == remedy


def test_required_parameters_must_be_sent() -> None:
    """Both query and header parameters, also if a request has no query and no headers."""
    parameters = Parameters(
        [
            parameter("format", "query", {"type": "string", "enum": ["csv"]}, required=True),
            parameter("X-Key", "header", required=True),
        ]
    )
    code, _, error, _ = refused(parameters=parameters)
    assert code == "invalid_parameters"
    assert sorted(error.split("; ")) == ["X-Key is required", "format is required"]
    assert refused(parameters=parameters, headers=[(b"x-key", b"a")], query="format=x")[2:] == (
        "format is not one of the allowed values",
        "Send format as csv.",
    )
    assert read(parameters, query="format=csv", headers=[(b"x-key", b"a")]) == {"format": "csv", "X-Key": "a"}


def test_reserved_headers_are_no_parameters() -> None:
    """OpenAPI 3.0 ignores parameters with the names of these three headers."""
    parameters = Parameters(
        [parameter(name, "header", required=True) for name in ("Accept", "Content-Type", "Authorization")]
    )
    assert read(parameters, headers=[(b"accept", b"a" * 99)]) == {}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        pytest.param(parameter("a", "cookie"), "parameter a in cookie is not in a form", id="a cookie"),
        pytest.param(parameter("a", "query", style="deepObject"), "is not in a form", id="another style"),
        pytest.param(parameter("a", "path", style="label"), "is not in a form", id="another style of a path"),
        pytest.param(parameter("a", "query", content={"application/json": {}}), "is not in a form", id="JSON"),
        pytest.param(parameter("a", "query", {"type": "array"}), "is not a string, integer or boolean", id="a list"),
        pytest.param(
            parameter("a", "query", {"type": "object"}), "is not a string, integer or boolean", id="an object"
        ),
        pytest.param(parameter("a", "query", {"type": "number"}), "is not a string, integer or boolean", id="a number"),
        pytest.param(parameter("a", "query", {"enum": ["a"]}), "is not a string, integer or boolean", id="no type"),
        pytest.param(parameter("a", "query", {**TEXT, "nullable": True}), "is not a string", id="null"),
        pytest.param(parameter("a", "header", {**TEXT, "default": "a"}), "without default", id="a default"),
    ],
)
def test_an_unsupported_parameter_is_refused(declared: dict[str, Any], message: str) -> None:
    """A contract with a parameter that the service cannot read raises ContractError."""
    with pytest.raises(ContractError) as caught:
        Parameters([declared])
    assert message in str(caught.value)


@pytest.mark.parametrize("location", ["query", "path", "header"])
def test_the_default_style_may_be_explicit(location: str) -> None:
    """It may also be absent."""
    Parameters([parameter("a", location, style="form" if location == "query" else "simple")])


@settings(deadline=None)
@given(st.integers() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8))
def test_another_validator_agrees(value: Any) -> None:
    """A value is accepted exactly if openapi-schema-validator accepts the value that its text stands for."""
    text = {"name": str(value), "limit": str(value)}
    values: dict[str, Any] = {"name": str(value), "limit": value}
    for name, schema in (("name", TEXT), ("limit", {"type": "integer", "minimum": 1, "maximum": 1000})):
        is_valid = OAS30Validator(schema).is_valid(values[name])
        if name == "limit" and isinstance(value, str):
            is_valid = value.isdecimal() and value.isascii() and value[0] != "0" and 1 <= int(value) <= 1000
        try:
            result: Any = read(query=f"{name}={quote(text[name], safe='')}")[name]
        except Problem as problem:
            result = problem.code
        assert (
            result == (int(text[name]) if name == "limit" else text[name])
            if is_valid
            else result == "invalid_parameters"
        )


@settings(deadline=None)
@given(st.binary() | st.text("limitname=&%0aF+1;[]", max_size=40).map(str.encode), st.binary(max_size=20))
def test_no_request_raises_anything_else(query: bytes, header: bytes) -> None:
    """Any query and header are read or refused."""
    code = None
    try:
        read(query=query, headers=[(b"idempotency-key", header), (b"x-size", header)])
    except Problem as problem:
        code = problem.code
    assert code in (None, "invalid_parameters")
