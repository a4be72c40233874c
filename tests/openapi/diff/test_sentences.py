"""One complete and short sentence for each change."""

from string import Formatter
from typing import Any

import pytest

from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.sentences import LONGEST, sentence
from tests.openapi.diff.documents import with_body


def sentence_of(rule: str, old: Any = None, new: Any = None) -> str:
    """The sentence of a change of `body /a`."""
    return sentence(Change(rule, "", True, None, (), "body /a", old, new))


@pytest.mark.parametrize(
    ("rule", "old", "new", "expected"),
    [
        ("request-maxLength-narrowed", 10, 5, "body /a has maxLength 5; it was 10"),
        ("request-maxLength-narrowed", None, 5, "body /a now has maxLength 5; it had none"),
        ("response-maxLength-widened", 5, None, "body /a no longer has a maxLength; it was 5"),
        ("request-format-narrowed", [], "date", "body /a now has format date; it had none"),
        ("request-format-widened", "date", [], "body /a no longer has a format; it was date"),
        ("request-minimum-narrowed", 0, 1, "body /a has minimum 1; it was 0"),
        ("request-enum-narrowed", ["a", 1], ["b"], 'body /a may no longer be "a", 1'),
        ("request-enum-narrowed", None, ["b"], 'body /a must be one of "b"'),
        ("response-enum-widened", ["b"], ["a"], 'body /a may now be "a"'),
        ("response-enum-widened", ["b"], None, 'body /a may now be a value other than "b"'),
        ("request-nullable-narrowed", None, None, "body /a may no longer be null"),
        ("response-nullable-widened", None, None, "body /a may now be null"),
        ("request-default-added", [], ["é"], 'body /a now has default "é"; it had none'),
        ("request-default-added", [], [None], "body /a now has default null; it had none"),
        ("request-default-changed", [None], [0], "body /a has default 0; it was null"),
        ("request-default-removed", [None], [], "body /a no longer has a default; it was null"),
        (
            "request-required-default-changed",
            [True],
            ["true"],
            'the default of body /a is the text "true" now; it was the boolean true',
        ),
        ("request-default-changed", [1], [2.5], "body /a has default 2.5; it was 1"),
        ("server-path-changed", ["/dialogporten"], [""], "the paths of the servers are / now; they were /dialogporten"),
        ("server-default-changed", "/a", "", "the path of the servers is / by default now; it was /a"),
        ("request-deprecated-changed", None, True, "body /a is deprecated"),
        ("request-deprecated-changed", True, None, "body /a is no longer deprecated"),
        (
            "request-type-narrowed",
            "string",
            ["integer"],
            "body /a may no longer be of type string; it may be of type integer",
        ),
        (
            "request-type-narrowed",
            "array",
            ["null", "string"],
            "body /a may no longer be of type array; it may be of type null or string",
        ),
        ("response-type-widened", ["string"], "integer", "body /a may now be of type integer; it was of type string"),
        ("request-property-added", None, None, "body /a is a new property"),
        ("response-undecided-widened", 1, 2, "body /a: it cannot be shown that no other value is accepted"),
        ("security-narrowed", "key", "nothing", "clients need not authenticate; previously they authenticated by key"),
        (
            "security-widened",
            "nothing",
            "key or nothing",
            "clients authenticate by key, or not at all; previously they did not have to, which is still accepted",
        ),
    ],
)
def test_a_sentence_names_the_old_and_the_new_value(rule: str, old: Any, new: Any, expected: str) -> None:
    """Narrowed and widened, also from and to an absent value."""
    assert sentence_of(rule, old, new) == expected


def test_long_values_are_cut() -> None:
    """To LONGEST characters."""
    assert sentence_of("request-pattern-narrowed", "a" * LONGEST, "b" * (LONGEST + 1)) == (
        f"body /a has pattern {'b' * LONGEST}\u2026; it was {'a' * LONGEST}"
    )


def test_a_text_of_a_document_is_not_a_template() -> None:
    """Braces stand for themselves."""
    assert sentence_of("request-pattern-narrowed", "{had}", "{0.__class__}") == (
        "body /a has pattern {0.__class__}; it was {had}"
    )
    assert not [name for _, name, _, _ in Formatter().parse(sentence_of("request-not-narrowed", 1, 2)) if name]


def test_schemas_are_named_by_their_components() -> None:
    """A sentence has neither the insides of an alternative nor a name that only the comparison uses."""
    components = {name: {"type": "object", "required": [name], "properties": {name: {}}} for name in ("Cat", "Dog")}
    cat, dog = ({"$ref": f"#/components/schemas/{name}"} for name in components)
    sentences = []
    for schemas in (
        (
            {"anyOf": [cat, dog]},
            {"anyOf": [cat, {"type": "object", "maxProperties": 0}, {"type": "object", "minProperties": 9}]},
        ),
        (cat, {"allOf": [cat], "not": dog}),
    ):
        documents = [with_body(schema) for schema in schemas]
        for contract in documents:
            contract.document["components"] = {"schemas": components}
        sentences += [sentence(change) for change in compare(*documents)]
    assert sentences == [
        "body may no longer be Dog; it may be Cat, object",
        "body may no longer satisfy the schema Dog",
    ]
