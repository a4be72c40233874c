"""Parameters of path, query and header: what is read, what it is read as, and what is refused."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from openapi.contract import ContractError
from openapi.problems import Problem
from openapi.requests.parameters import MAX_IN_QUERY, Parameters

UUID = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
TEXT = {"type": "string", "maxLength": 5}


def parameter(name: str, place: str, schema: Any = None, **more: Any) -> dict[str, Any]:
    """A parameter object."""
    return {"name": name, "in": place, "schema": schema or TEXT, **more}


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
    """What is told of a request whose parameters are not accepted."""
    with pytest.raises(Problem) as caught:
        read(**request)
    problem = caught.value
    return problem.code, problem.status, problem.error, problem.help


def test_what_was_sent_is_given_by_name() -> None:
    """Each as the type that is declared, and nothing that was not sent."""
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


def test_white_space_around_a_header_is_none_of_its_value() -> None:
    """RFC 9110 section 5.5."""
    assert read(headers=[(b"idempotency-key", b" \tkey ")])["Idempotency-Key"] == "key"


@pytest.mark.parametrize(
    ("query", "error", "remedy"),
    [
        pytest.param("limit=x", "limit must be an integer", "Send limit as an integer.", id="no number"),
        pytest.param("limit=", "limit must be an integer", "Send limit as an integer.", id="nothing for a number"),
        pytest.param("limit=1.0", "limit must be an integer", "Send limit as an integer.", id="a fraction"),
        pytest.param("limit=1e2", "limit must be an integer", "Send limit as an integer.", id="an exponent"),
        pytest.param("limit=01", "limit must be an integer", "Send limit as an integer.", id="a leading zero"),
        pytest.param("limit=%2B1", "limit must be an integer", "Send limit as an integer.", id="a plus sign"),
        pytest.param("limit=1_0", "limit must be an integer", "Send limit as an integer.", id="an underscore"),
        pytest.param("limit=%EF%BC%91", "limit must be an integer", "Send limit as an integer.", id="full width"),
        pytest.param("limit=1%0A", "limit must be an integer", "Send limit as an integer.", id="a line break"),
        pytest.param("limit=" + "9" * 20, "limit must be an integer", "Send limit as an integer.", id="20 digits"),
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
        pytest.param("nam=a", "unknown field 'nam'", "Rename nam to name.", id="misspelt"),
        pytest.param("id=a", "unknown field 'id'", None, id="one of the path"),
        pytest.param("idempotency-key=a", "unknown field 'idempotency-key'", None, id="one of the header"),
        pytest.param("name=a&name=a", "name is given 2 times", "Send name once.", id="twice"),
        pytest.param("name[]=a", "unknown field 'name[]'", None, id="a list"),
        pytest.param("zz=1&zz=1&zz=1", "zz is given 3 times", "Send zz once.", id="an unknown one three times"),
        pytest.param("n" * 90 + "=1", "unknown field '" + "n" * 59 + "\u2026'", None, id="an unknown one that is long"),
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
            "all must be true or false; limit must be an integer; unknown field 'a'",
            None,
            id="several",
        ),
    ],
)
def test_a_query_that_is_not_as_declared_is_refused(query: str, error: str, remedy: str | None) -> None:
    """422 with every fault in words, and what to do."""
    code, status, found, told = refused(query=query)
    assert (code, status) == ("invalid_parameters", 422)
    assert sorted(found.split("; ")) == sorted(error.split("; ")) or found == error
    assert told
    assert remedy in (None, told)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        *(
            pytest.param(
                [(b"idempotency-key", value)],
                "Idempotency-Key is empty; Idempotency-Key does not match the pattern ^[ -~]+$",
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
        pytest.param([(b"idempotency-key", b"a")] * 2, "Idempotency-Key is given 2 times", id="twice"),
        pytest.param([(b"x-size", b"1.0")], "X-Size must be an integer", id="no integer"),
        pytest.param([(b"x-size", b"\0")], "X-Size has a character that cannot be stored", id="U+0000"),
    ],
)
def test_a_header_that_is_not_as_declared_is_refused(headers: list[tuple[bytes, bytes]], error: str) -> None:
    """Each that is declared is judged, alone and once."""
    code, status, found, told = refused(headers=headers)
    assert (code, status, found) == ("invalid_parameters", 422, error)
    assert told


@pytest.mark.parametrize(
    "identifier", ["", "x", UUID[:-1], UUID + "\n", UUID + "\0", f"{{{UUID}}}", "\ud800", "x" * 10**5]
)
def test_a_path_that_names_nothing_is_not_found(identifier: str) -> None:
    """404 instead of 422, for the path is what is asked for."""
    assert refused(path={"id": identifier})[:2] == ("not_found", 404)


def test_a_path_has_types_too() -> None:
    """A number in a path is one, and whatever may be a text is still one that can be stored."""
    number = Parameters([parameter("n", "path", {"type": "integer", "minimum": 1}, required=True)])
    assert read(number, path={"n": "12"}) == {"n": 12}
    assert refused(parameters=number, path={"n": "x"})[0] == "not_found"
    assert refused(parameters=number, path={"n": "0"})[0] == "not_found"
    text = Parameters([parameter("n", "path", required=True)])
    assert read(text, path={"n": "12"}) == {"n": "12"}
    assert refused(parameters=text, path={"n": "a\0"})[0] == "not_found"


def test_two_parameters_have_two_names() -> None:
    """A handler is given them by name, so that the same one in path and query could not be told apart."""
    with pytest.raises(ContractError, match="two parameters have one name"):
        Parameters([parameter("id", "path"), parameter("ID", "query")])


def test_where_no_query_is_declared_there_may_be_any() -> None:
    """It has no effect then, whatever it is."""
    parameters = Parameters([parameter("X-Size", "header", {"type": "integer"})])
    assert read(parameters, query=b"a=%FF&a=1&limit=x\xff" + b"&b" * 1000) == {}


def test_a_field_of_the_query_is_no_header_field() -> None:
    """Where the contract declares both, what is declared for the one is not taken from the other."""
    assert refused(query="limit=1&X-Size=5")[:3] == (
        "invalid_parameters",
        422,
        "X-Size is not a parameter of the query",
    )


def test_as_many_as_are_allowed_are_read() -> None:
    """A query has at most so many fields."""
    names = [f"a{number}" for number in range(MAX_IN_QUERY)]
    parameters = Parameters([parameter(name, "query") for name in names])
    assert read(parameters, query="&".join(f"{name}=1" for name in names)) == dict.fromkeys(names, "1")


def test_what_is_required_is_asked_for() -> None:
    """In query and header; nothing of it has to be sent for that."""
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
        "Send format as one of csv.",
    )
    assert read(parameters, query="format=csv", headers=[(b"x-key", b"a")]) == {"format": "csv", "X-Key": "a"}


def test_headers_that_belong_elsewhere_are_no_parameters() -> None:
    """OpenAPI 3.0 ignores a parameter that is called like one of three headers."""
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
def test_a_parameter_that_is_not_served_is_refused(declared: dict[str, Any], message: str) -> None:
    """Where a contract promises what is not read, nothing is built of it."""
    with pytest.raises(ContractError) as caught:
        Parameters([declared])
    assert message in str(caught.value)


@pytest.mark.parametrize("place", ["query", "path", "header"])
def test_the_usual_style_may_be_named(place: str) -> None:
    """As it may be left out."""
    Parameters([parameter("a", place, style="form" if place == "query" else "simple")])


@settings(deadline=None)
@given(st.integers() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8))
def test_another_validator_agrees(value: Any) -> None:
    """A value is accepted exactly if openapi-schema-validator accepts what it stands for."""
    text = {"name": str(value), "limit": str(value)}
    meant: dict[str, Any] = {"name": str(value), "limit": value}
    for name, schema in (("name", TEXT), ("limit", {"type": "integer", "minimum": 1, "maximum": 1000})):
        is_valid = OAS30Validator(schema).is_valid(meant[name])
        if name == "limit" and isinstance(value, str):
            is_valid = value.isdecimal() and value.isascii() and value[0] != "0" and 1 <= int(value) <= 1000
        try:
            found: Any = read(query=f"{name}={quote(text[name], safe='')}")[name]
        except Problem as problem:
            found = problem.code
        assert (
            found == (int(text[name]) if name == "limit" else text[name]) if is_valid else found == "invalid_parameters"
        )


@settings(deadline=None)
@given(st.binary() | st.text("limitname=&%0aF+1;[]", max_size=40).map(str.encode), st.binary(max_size=20))
def test_no_request_raises_anything_else(query: bytes, header: bytes) -> None:
    """Whatever stands in query and header, it is read or refused."""
    code = None
    try:
        read(query=query, headers=[(b"idempotency-key", header), (b"x-size", header)])
    except Problem as problem:
        code = problem.code
    assert code in (None, "invalid_parameters")
