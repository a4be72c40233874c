"""Validation: the values that satisfy a schema, and the errors of those that do not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from openapi.contract import Contract, published
from openapi.problems import Problem
from openapi.schemas.validation import Schema, Schemas, is_uuid
from tests.examples import EVENT

UUID = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
POINTER = ("paths", "/interaction-events", "post", "requestBody", "content", "application/json", "schema")
EVENT_SCHEMA = Schemas(published()[0]).compile(*POINTER)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
FIELDS = {
    "widget_id": st.just(UUID) | TEXTS | VALUES,
    "event_type": TEXTS | VALUES,
    "occurred_at": st.just(EVENT["occurred_at"]) | VALUES,
    "actor_type": st.sampled_from(["user", "agent", "robot", None]),
    "actor_id": st.just(UUID) | VALUES,
    "view_context_ref": st.just("x" * 2001) | VALUES,
    "metadata": VALUES,
    "other": VALUES,
}


def problem_of(schema: Schema, value: Any) -> Problem:
    """The Problem that `schema` raises for `value`."""
    with pytest.raises(Problem) as caught:
        schema.validate(value)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(UUID, True, id="lower case"),
        pytest.param(UUID.upper(), True, id="upper case"),
        pytest.param("00000000-0000-0000-0000-000000000000", True, id="nil"),
        pytest.param("", False, id="empty"),
        pytest.param(UUID.replace("-", ""), False, id="no hyphens"),
        pytest.param(UUID.replace("-", "", 1), False, id="a hyphen too few"),
        pytest.param(f"{{{UUID}}}", False, id="braces"),
        pytest.param(f"urn:uuid:{UUID}", False, id="URN"),
        pytest.param(UUID[:-1], False, id="a digit too few"),
        pytest.param(UUID + "1", False, id="a digit too many"),
        pytest.param(UUID + "\n", False, id="a line break after it"),
        pytest.param(UUID[:-1] + "g", False, id="no hexadecimal digit"),
        pytest.param(UUID[:-1] + "_", False, id="an underscore"),
        pytest.param(UUID[:-1] + "\uff11", False, id="a full-width digit"),
        pytest.param("5b0e3c9a6-a57-4d0b-8f6f-2b7a1c0d9e11", False, id="a hyphen elsewhere"),
    ],
)
def test_a_uuid_is_five_groups_of_digits(text: str, expected: bool) -> None:
    """Only the form of RFC 9562 is a UUID, not the others that Python parses; schemas use the same check."""
    assert is_uuid(text) is expected
    assert Schema({"type": "string", "format": "uuid"}).is_valid(text) is expected


@pytest.mark.parametrize(
    ("schema", "value", "error", "remedy"),
    [
        pytest.param({"required": ["a"]}, {}, "a is required", "Add a.", id="required"),
        pytest.param({"type": "object"}, [], "the body must be an object", "Send the body as an object.", id="type"),
        pytest.param(
            {"type": ["integer", "null"]},
            "x",
            "the body must be an integer",
            "Send the body as an integer.",
            id="types",
        ),
        pytest.param(
            {"format": "uuid", "example": UUID},
            "x",
            "the body is not a UUID of five groups of hexadecimal digits with hyphens",
            f"Send the body as a UUID of five groups of hexadecimal digits with hyphens, for example {UUID}.",
            id="format",
        ),
        pytest.param(
            {"format": "date-time"},
            "2026-03-31",
            "the body is not an ISO 8601 timestamp with a time zone",
            "the body: it has no time of day; it has no time zone. "
            "Send it as an ISO 8601 timestamp with a time zone, for example, if it is UTC, 2026-03-31T00:00:00Z.",
            id="a date alone",
        ),
        pytest.param(
            {"format": "ipv4"},
            "localhost",
            "the body is not a valid ipv4",
            "Send the body as a valid ipv4.",
            id="any other format",
        ),
        pytest.param(
            {"enum": ["a", 1, None]},
            "b",
            "the body is not one of the allowed values",
            "Send the body as one of a, 1.",
            id="enum",
        ),
        pytest.param(
            {"enum": ["a", 1, True]},
            "1",
            "the body is not one of the allowed values",
            "Send 1 without quotes. Send the body as one of a, 1, true.",
            id="enum of another type",
        ),
        pytest.param(
            {"properties": {"a": {}}, "additionalProperties": False},
            {"": 1},
            "unknown field ''''",
            "Remove ''; the fields are a.",
            id="an empty name",
        ),
        pytest.param(
            {"minLength": 1}, "", "the body is empty", "Send the body with at least 1 character.", id="minLength of 1"
        ),
        pytest.param(
            {"minLength": 3},
            "ab",
            "the body has fewer than 3 characters",
            "Send the body with at least 3 characters.",
            id="minLength",
        ),
        pytest.param(
            {"maxLength": 2},
            "a\U0001f600c",
            "the body has 3 characters; the limit is 2",
            "Shorten the body.",
            id="maxLength",
        ),
        pytest.param(
            {"additionalProperties": False, "properties": {"occurred_at": {}, "name": {}}},
            {"OCURRED_AT": 1},
            "unknown field 'OCURRED_AT'",
            "Rename OCURRED_AT to occurred_at.",
            id="a misspelt field",
        ),
        pytest.param(
            {"additionalProperties": False, "properties": {"occurred_at": {}, "name": {}}},
            {"zzz": 1},
            "unknown field 'zzz'",
            "Remove zzz; the fields are occurred_at, name.",
            id="an unknown field",
        ),
        pytest.param(
            {"additionalProperties": False, "properties": {}},
            {"a": 1},
            "unknown field 'a'",
            "Remove a: the body takes no fields.",
            id="no fields",
        ),
        pytest.param(
            {"properties": {"m": {"additionalProperties": False}}},
            {"m": {"a": 1}},
            "m takes no fields",
            "Send m without fields.",
            id="no fields within a field",
        ),
        pytest.param(
            {"additionalProperties": False, "properties": {"name": {}}},
            {"name\u200b": 1},
            "unknown field 'name\u200b'",
            "The name has the character U+200B. Rename name\u200b to name.",
            id="an invisible character",
        ),
        pytest.param(
            {"enum": [True, {"a": None}]},
            1,
            "the body is not one of the allowed values",
            'Send the body as one of true, {"a": null}.',
            id="choices in JSON",
        ),
        pytest.param(
            {"enum": ["a", None]},
            1,
            "the body is not one of the allowed values",
            "Send the body as a.",
            id="a single choice",
        ),
        pytest.param(
            {"enum": [None]}, 1, "the body is not one of the allowed values", "Send the body as null.", id="null alone"
        ),
        *[
            pytest.param(
                {"format": "uuid", "example": "other"},
                text,
                "the body is not a UUID of five groups of hexadecimal digits with hyphens",
                f"{sentence}Did you mean 5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11? "
                "Send the body as a UUID of five groups of hexadecimal digits with hyphens.",
                id=f"a UUID {number}",
            )
            for number, (text, sentence) in enumerate(
                [
                    ("5b0e3c9a6a574d0b8f6f2b7a1c0d9e11", ""),
                    ("{5B0E3C9A-6A57-4D0B-8F6F-2B7A1C0D9E11}", ""),
                    ("urn:uuid:5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", ""),
                    ("5b0e3c9a_6a57_4d0b_8f6f_2b7a1c0d9e11", ""),
                    (" 5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "the body has the character U+0020. "),
                    ("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11\u200b", "the body has the character U+200B. "),
                    ("5b0e3c9a\u20106a57-4d0b-8f6f-2b7a1c0d9e11", "the body has the character U+2010. "),
                ]
            )
        ],
        *[
            pytest.param(
                {"enum": ["user", "external_adapter", None]},
                text,
                "the body is not one of the allowed values",
                f"{hint}Send the body as one of user, external_adapter.",
                id=f"a choice {number}",
            )
            for number, (text, hint) in enumerate(
                [
                    ("user\u200b", "Did you mean 'user'? The value has the character U+200B. "),
                    ("user ", "Did you mean 'user'? The value has the character U+0020. "),
                    ("User", "Did you mean 'user'? "),
                    ("\u0443ser", "Did you mean 'user'? The value has the character U+0443. "),
                    ("externalAdapter", "Did you mean 'external_adapter'? "),
                    ("external-adapter", "Did you mean 'external_adapter'? "),
                    ("usr", "Did you mean 'user'? "),
                    ("", ""),
                    ("zzz", ""),
                    ("zz\u0436", "The value has the character U+0436. "),
                ]
            )
        ],
        *[
            pytest.param(
                {"pattern": pattern},
                text,
                f"the body does not match the pattern {pattern}",
                f"{sentence}Send the body as a string that matches {pattern}.",
                id=f"a pattern {number}",
            )
            for number, (pattern, text, sentence) in enumerate(
                [
                    ("^[a-z]+$", "\u0430", "the body has the character U+0430. "),
                    (r"^\w+$", "\u0430!", ""),
                    ("^.a$", "\u0430", ""),
                    ("^[^b]b$", "\u0430", ""),
                    (r"^\w+$", "a\u200b", "the body has the character U+200B. "),
                ]
            )
        ],
        pytest.param(
            {"minLength": 1, "pattern": "^a+$"},
            "",
            "the body is empty",
            "Send the body with at least 1 character.",
            id="an empty text, which has one fault",
        ),
        pytest.param(
            {"format": "date-time"},
            "2026-03-31T12:00:00 02:00",
            "the body is not an ISO 8601 timestamp with a time zone",
            "the body: it has a space where the offset needs + or -. "
            "Send it as an ISO 8601 timestamp with a time zone, for example 2026-03-31T12:00:00+02:00.",
            id="a space for a plus, not in a query",
        ),
        *[
            pytest.param(
                {"format": "uuid"},
                text,
                "the body is not a UUID of five groups of hexadecimal digits with hyphens",
                f"{hint}Send the body as a UUID of five groups of hexadecimal digits with hyphens.",
                id=f"no UUID {number}",
            )
            for number, (text, hint) in enumerate(
                [
                    (UUID.replace("6", "\u0431"), "the body has the character U+0431. "),
                    (UUID.replace("5", "\uff15", 1), f"the body has the character U+FF15. Did you mean {UUID}? "),
                    (UUID.replace("0", "O", 1), f"Did you mean {UUID}? "),
                ]
            )
        ],
        pytest.param(
            {"not": {"maximum": 5}},
            4,
            'the body: {"maximum":5} is not allowed for 4',
            "Send the body as the contract describes it.",
            id="any other keyword",
        ),
        pytest.param(
            {"properties": {"a": {"items": {"properties": {"b/c": {"type": "string"}}}}}},
            {"a": [{}, {"b/c": 1}]},
            "a/1/b~1c must be a string",
            "Send a/1/b~1c as a string.",
            id="deep within",
        ),
        pytest.param(
            {"properties": {"a": {"required": ["b"]}}}, {"a": {}}, "a/b is required", "Add a/b.", id="required within"
        ),
        pytest.param(
            {
                "components": {
                    "outer": {"properties": {"a": {"$ref": "#/components/inner"}}},
                    "inner": {"additionalProperties": False, "properties": {"name": {}}},
                },
                "$ref": "#/components/outer",
            },
            {"a": {"nane": 1}},
            "unknown field 'a/nane'",
            "Rename a/nane to name.",
            id="behind references",
        ),
        pytest.param(
            {"allOf": [{}, {"format": "uuid", "example": UUID}]},
            "x",
            "the body is not a UUID of five groups of hexadecimal digits with hyphens",
            f"Send the body as a UUID of five groups of hexadecimal digits with hyphens, for example {UUID}.",
            id="one of several schemas",
        ),
        pytest.param(
            {"properties": {"n" * 80: {"enum": [1]}}},
            {"n" * 80: 2},
            f"{'n' * 59}\u2026 is not one of the allowed values",
            f"Send {'n' * 59}\u2026 as 1.",
            id="a long name",
        ),
        pytest.param(
            {"pattern": "^(a+)+$"},
            "a" * 5000 + "!",
            "the body does not match the pattern ^(a+)+$",
            "Send the body as a string that matches ^(a+)+$.",
            id="a long value, and a pattern that is slow elsewhere",
        ),
        pytest.param(
            {"not": {"pattern": "a"}},
            "a" * 5000,
            'the body: {"pattern":"a"} is not allowed for "' + "a" * 23 + "\u2026",
            "Send the body as the contract describes it.",
            id="a long value where any other keyword fails",
        ),
        pytest.param(
            {"maximum": 5.5},
            6,
            "the body is above 5.5",
            "Send the body as a number of at most 5.5.",
            id="a bound",
        ),
        pytest.param(
            {"minItems": 2},
            [],
            "the body has fewer than 2 items",
            "Send the body with at least 2 items.",
            id="minItems",
        ),
        pytest.param(
            {"minProperties": 1},
            {},
            "the body is empty",
            "Send the body with at least 1 field.",
            id="minProperties of 1",
        ),
        pytest.param(
            {"maxItems": 1},
            [1, 2],
            "the body has more than 1 item",
            "Send the body with at most 1 item.",
            id="maxItems of 1",
        ),
        pytest.param(
            {"maxProperties": 2},
            {"a": 1, "b": 2, "c": 3},
            "the body has more than 2 fields",
            "Send the body with at most 2 fields.",
            id="maxProperties",
        ),
    ],
)
def test_each_fault_has_an_error_and_a_remedy(schema: dict[str, Any], value: Any, error: str, remedy: str) -> None:
    """The error names the field and its fault; the remedy says what would be right."""
    problem = problem_of(Schema(schema), value)
    assert (problem.code, problem.error, problem.help) == ("invalid_body", error, remedy)
    assert Schema(schema).errors(value) == [error]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("array", "an array"),
        ("boolean", "true or false"),
        ("integer", "an integer"),
        ("number", "a number"),
        ("object", "an object"),
        ("string", "a string"),
        ("null", "null"),
    ],
)
def test_errors_name_each_type_in_words(kind: str, words: str) -> None:
    """The error and the remedy say in English what a value must be."""
    value = "a" if kind != "string" else 1
    problem = problem_of(Schema({"type": kind}), value)
    assert (problem.error, problem.help) == (f"the body must be {words}", f"Send the body as {words}.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2016-12-31T23:59:60Z", True, id="a leap second"),
        pytest.param("0001-01-01T00:00:00Z", True, id="the first instant"),
        pytest.param("0001-01-01T00:00:00+00:01", False, id="before the first instant"),
        pytest.param("9999-12-31T23:59:59-00:01", False, id="after the last instant"),
    ],
)
def test_a_date_time_is_one_that_the_database_can_store(text: str, expected: bool) -> None:
    """Schemas use our own parser of date-times, as the handlers do."""
    assert Schema({"type": "string", "format": "date-time"}).is_valid(text) is expected


def test_a_problem_names_every_fault_of_an_event() -> None:
    """One response names all wrong fields; a remedy for two of them appears once."""
    problem = problem_of(
        EVENT_SCHEMA, {"widget_id": 1, "event_type": "", "ocurred_at": "x", "actor_type": "robot", "zz": 1}
    )
    assert sorted(problem.error.split("; ")) == [
        "actor_type is not one of the allowed values",
        "event_type is empty",
        "occurred_at is required",
        "unknown field 'ocurred_at'",
        "unknown field 'zz'",
        "widget_id must be a string",
    ]
    doubled = Schema({"allOf": [{"maxLength": 1}, {"maxLength": 2}]})
    assert problem_of(doubled, "long").help == "Shorten the body."


def test_at_most_twenty_faults_are_listed() -> None:
    """The error says that there are more; so a response stays as short as the contract promises."""
    schema = Schema({"items": {"type": "string"}})
    assert problem_of(schema, [1] * 20).error.endswith("; 19 must be a string")
    problem = problem_of(schema, [1] * 25)
    assert problem.error.endswith("; 19 must be a string; and more")
    assert problem.help is not None
    assert problem.help.endswith("Send 19 as a string.")


def test_a_help_is_at_most_4000_characters_long() -> None:
    """A longer help is cut to the length that the contract promises, with a mark at its end."""
    names = [f"{number:02}{'n' * 300}" for number in range(20)]
    problem = problem_of(
        Schema({"additionalProperties": False, "properties": {name: {} for name in names}}), {"x": 1, "y": 2}
    )
    assert problem.help is not None
    assert len(problem.help) == 4000
    assert problem.help.endswith("nn ...")


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        pytest.param({"type": "string", "nullable": True}, [None, "a"], [1], id="nullable"),
        pytest.param(
            {"type": "string", "nullable": True, "enum": ["a"]}, ["a"], [None, "b"], id="an enum that lists no null"
        ),
        pytest.param({"type": "string", "nullable": True, "enum": ["a", None]}, [None, "a"], ["b"], id="a listed null"),
        pytest.param(
            {"type": "integer", "format": "int32"}, [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1, 1e10], id="int32"
        ),
        pytest.param(
            {"type": "integer", "format": "int64"}, [2**63 - 1, -(2**63)], [2**63, -(2**63) - 1, 10**30], id="int64"
        ),
        pytest.param(
            {"type": "integer", "format": "int32", "nullable": True, "allOf": [{"maximum": 5}]},
            [None, 5],
            [6, -(2**31) - 1],
            id="int32 among other bounds",
        ),
        pytest.param({"type": "number", "format": "int32"}, [2**31], ["a"], id="int32 of numbers"),
        pytest.param({"type": "integer"}, [2], [2.0], id="a fraction of zeros"),
        pytest.param({"type": "string", "nullable": False}, ["a"], [None], id="not nullable"),
        pytest.param({"nullable": True, "enum": ["a"]}, ["a"], [None], id="nullable without a type"),
        pytest.param(
            {"allOf": [{"type": "integer", "nullable": True}]}, [None, 1], ["a", 1.5], id="nullable within a list"
        ),
        pytest.param(
            {"type": "object", "properties": {"nullable": {"type": "boolean"}}, "additionalProperties": False},
            [{"nullable": True}],
            [{"nullable": None}],
            id="a field named nullable",
        ),
        pytest.param({"maximum": 5, "exclusiveMaximum": True}, [4], [5], id="a boolean exclusiveMaximum"),
    ],
)
def test_schemas_follow_openapi_3_0(schema: dict[str, Any], valid: list[Any], invalid: list[Any]) -> None:
    """Keywords that OpenAPI 3.0 adds to JSON Schema draft 4, or defines unlike later drafts, work."""
    contract = Contract(published()[0].text, published()[0].copy())
    contract.document["components"]["schemas"]["Tried"] = schema
    compiled = Schemas(contract).compile("components", "schemas", "Tried")
    assert all(compiled.is_valid(value) for value in valid)
    assert not any(compiled.is_valid(value) for value in invalid)


def test_compiling_leaves_the_contract_as_it_is() -> None:
    """The validator's changes are made in a copy."""
    contract = Contract(published()[0].text, published()[0].copy())
    contract.document["components"]["schemas"]["ErrorAnswer"]["nullable"] = True
    before = contract.copy()
    Schemas(contract).compile("components", "schemas", "ErrorAnswer")
    assert contract.document == before


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "map"}, id="an unknown type"),
        pytest.param({"pattern": "("}, id="no regular expression"),
        pytest.param({"pattern": "(?=a)b"}, id="a look-ahead, which takes more than linear time"),
        pytest.param({"pattern": r"(a)\1"}, id="a back-reference, which takes more than linear time"),
    ],
)
def test_an_unsafe_or_invalid_schema_does_not_compile(schema: dict[str, Any]) -> None:
    """It raises ValueError before it is used for any value."""
    with pytest.raises(ValueError, match=r".+"):
        Schema(schema)


def test_no_schema_is_fetched() -> None:
    """A schema that refers to another document raises ValueError before any request for that document."""
    with pytest.raises(ValueError, match="Retrieval is disabled"):
        Schema({"$ref": "http://127.0.0.1:9/schema"})


@pytest.mark.parametrize(
    ("schema", "value", "pointer"),
    [
        pytest.param({"type": "object"}, [], "", id="the whole"),
        pytest.param({"required": ["a/b"]}, {}, "/a~1b", id="what is missing"),
        pytest.param({"properties": {"a": {"required": ["b"]}}}, {"a": {}}, "/a/b", id="what is missing within"),
        pytest.param({"additionalProperties": False, "properties": {"b": {}}}, {"a~b": 1}, "/a~0b", id="unknown"),
        pytest.param({"properties": {"a": {"items": {"type": "string"}}}}, {"a": ["", 1]}, "/a/1", id="an item"),
    ],
)
def test_a_problem_has_the_pointer_of_the_first_fault(schema: dict[str, Any], value: Any, pointer: str) -> None:
    """The JSON Pointer of the wrong value, or of the missing field."""
    compiled = Schema(schema)
    assert problem_of(compiled, value).pointer == pointer
    problem = compiled.first_problem(value)
    assert problem
    assert (problem.pointer, problem.error) == (pointer, problem_of(compiled, value).error)


def test_the_first_problem_has_one_fault() -> None:
    """It names one of several faults, no longer than the contract promises; None without a fault."""
    schema = Schema({"required": ["a", "b"], "properties": {"a": {"type": "string"}}})
    problem = schema.first_problem({})
    assert problem
    assert problem.error in ("a is required", "b is required")
    assert schema.first_problem({"a": "", "b": 1}) is None
    names: dict[str, Any] = {f"{number:02}{'n' * 300}": {} for number in range(20)}
    long = Schema({"additionalProperties": False, "properties": names}).first_problem({"x": 1})
    assert long
    assert len(long.help or "") == 4000
    assert (long.help or "").endswith("nn ...")


def test_a_problem_may_have_another_code() -> None:
    """Its error and pointer stay the same."""
    schema = Schema({"required": ["a"]})
    problem = schema.problem({}, "invalid_parameters")
    assert problem
    assert (problem.code, problem.error, problem.pointer) == ("invalid_parameters", "a is required", "/a")
    assert schema.problem({"a": 1}) is None


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=FIELDS) | VALUES)
def test_another_validator_agrees(value: Any) -> None:
    """A value is an event exactly if openapi-schema-validator says so; otherwise its problem has error and help."""
    contract = published()[0]
    other = OAS30Validator({**contract.document, **contract.at(POINTER)}, format_checker=oas30_format_checker)
    assert EVENT_SCHEMA.is_valid(value) is other.is_valid(value)
    assert EVENT_SCHEMA.is_valid(value) is not bool(EVENT_SCHEMA.errors(value))
    if EVENT_SCHEMA.is_valid(value):
        EVENT_SCHEMA.validate(value)
    else:
        problem = problem_of(EVENT_SCHEMA, value)
        assert problem.error
        assert problem.help
