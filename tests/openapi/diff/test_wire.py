"""Values in the styles of parameters, in bodies, and in commands."""

from typing import Any

import pytest

from openapi.diff.wire import bodies, curl, styles
from openapi.diff.wire.abridged import Paths, abridged, json_text
from openapi.diff.wire.bodies import MULTIPART, Body, Part
from openapi.diff.wire.styles import UnwritableError
from openapi.standards.media_types import FORM, JSON

MANY = {f"p{number}": 1 for number in range(9)}
PIPES, SPACES = {"style": "pipeDelimited", "explode": False}, {"style": "spaceDelimited", "explode": False}


@pytest.mark.parametrize(
    ("value", "serialization", "expected"),
    [
        (["a,b", "c&d"], {"explode": False}, "t=a%2Cb,c%26d"),
        (["a b", "c|d"], SPACES, None),
        (["a b", "c|d"], PIPES, None),
        (["a b"], PIPES, "t=a%20b"),
        (["a", "b"], PIPES | {"explode": True}, "t=a&t=b"),
        ({"a": 1}, SPACES, "t=a%201"),
        ({"a": 1}, SPACES | {"explode": True}, None),
        ({"a]": True}, {"style": "deepObject"}, "t[a%5D]=true"),
        ("a", {"style": "deepObject"}, None),
        (["a"], {"style": "deepObject", "explode": True}, None),
        ("a", PIPES, None),
        (["", "a"], {}, "t=&t=a"),
    ],
)
def test_a_query_encodes_what_is_no_delimiter(value: Any, serialization: dict[str, Any], expected: str | None) -> None:
    """A delimiter that is encoded itself is in no value; a style writes only what OpenAPI defines for it."""
    if expected is None:
        with pytest.raises(UnwritableError):
            styles.query("t", value, serialization)
    else:
        assert "&".join(styles.query("t", value, serialization)) == expected


@pytest.mark.parametrize(
    ("value", "serialization", "expected"),
    [
        ("a/b;c,d", {}, "a%2Fb%3Bc%2Cd"),
        (["a,b", "c"], {}, "a%2Cb,c"),
        (["a;b", "c"], {"style": "matrix", "explode": True}, ";t=a%3Bb;t=c"),
        ("a.b", {"style": "label", "explode": True}, ".a.b"),
        (["a.b"], {"style": "label"}, ".a.b"),
        (["a.b"], {"style": "label", "explode": True}, None),
        (".", {"style": "label"}, None),
    ],
)
def test_a_path_encodes_what_is_no_delimiter(value: Any, serialization: dict[str, Any], expected: str | None) -> None:
    """A dot is never encoded."""
    if expected is None:
        with pytest.raises(UnwritableError):
            styles.path("t", value, serialization)
    else:
        assert styles.path("t", value, serialization) == expected


@pytest.mark.parametrize(
    ("encoding", "value", "expected"),
    [
        ({}, {"a": ["x", "y"], "b": ""}, "a=x&a=y&b="),
        ({"a": {"contentType": JSON}}, {"a": {"n": 1}}, "a=%7B%22n%22%3A%201%7D"),
        ({"a": {"style": "deepObject"}}, {"a": {"n": 1}}, "a[n]=1"),
        ({"a": {"explode": False}}, {"a": ["x", "y"]}, "a=x,y"),
        ({}, {"a": "x" * 121}, f"a={'x' * 40}\u2026 (121 characters)"),
        ({}, {f"p{number}": 1 for number in range(6)}, "p0=1&p1=1&\u2026 4 more"),
    ],
)
def test_a_form_has_the_encodings_of_its_document(encoding: dict[str, Any], value: Any, expected: str) -> None:
    """The default is an exploded form; what is left out is in words."""
    assert bodies.body(FORM, abridged(value), encoding).text == expected


@pytest.mark.parametrize(
    ("value", "paths", "expected"),
    [
        (MANY, [("p7",)], '{"p7": 1, "p0": 1, \u2026 7 more}'),
        ({"a": MANY}, [("a", "p7", 0)], '{"a": {"p7": 1, "p0": 1, \u2026 7 more}}'),
        (MANY, [("p8",), ("p7",), ("p6",)], '{"p8": 1, "p7": 1, "p6": 1, \u2026 6 more}'),
        ({"b": 1, "a": 2}, [("a",), ("gone",)], '{"a": 2, "b": 1}'),
        (list(range(9)), [(6,)], "[0, \u2026 5 more, 6, \u2026 2 more]"),
        (list(range(9)), [], "[0, 1, \u2026 7 more]"),
        (list(range(3)), [(2,)], "[0, 1, 2]"),
    ],
)
def test_what_a_proof_is_about_is_not_left_out(value: Any, paths: Paths, expected: str) -> None:
    """The members and items on the way to it are shown, the members first."""
    assert json_text(abridged(value, paths)) == expected


def test_parts_have_the_encodings_of_their_document() -> None:
    """A boundary is in no part, and no name or media type adds a line."""
    encodings = {"j": {"contentType": JSON}, "t": {"contentType": "text/csv, text/plain"}, "x": {"contentType": "a\nb"}}
    value = {"j": "boundary", "t": "1", "x": '2"\n'}
    body = bodies.body(MULTIPART, value, encodings)
    assert body.media_type == f"{MULTIPART}; boundary=boundaryx"
    assert [(part.text, part.media_type) for part in body.parts] == [
        ('"boundary"', JSON),
        ("1", "text/csv"),
        ('2"\n', None),
    ]
    named = bodies.body(MULTIPART, {'a"\n': "b"}, {})
    assert 'name="a%22%0A"\n' in named.text
    many = bodies.body(MULTIPART, abridged({f"p{number}": 1 for number in range(6)}), {})
    assert many.text.endswith("1\n\u2026 4 more\n--boundary--\n")


@pytest.mark.parametrize(
    ("media_type", "value", "others", "expected"),
    [
        ("*/*", {}, (), JSON),
        ("application/*", 1, (JSON,), "application/vnd.example+json"),
        ("text/*", "a", ("text/plain",), "text/markdown"),
        ("multipart/*", {"a": 1}, (), f"{MULTIPART}; boundary=boundary"),
        ("font/*", "a", (), "application/octet-stream"),
        ("text/plain; charset=utf-8", 1, (), "text/plain; charset=utf-8"),
    ],
)
def test_a_message_has_a_type_of_a_range(media_type: str, value: Any, others: tuple[str, ...], expected: str) -> None:
    """One that has no schema of its own."""
    assert bodies.body(media_type, value, {}, others=others).media_type == expected


@pytest.mark.parametrize(
    ("media_type", "value"),
    [
        (FORM, {}),
        (FORM, "a"),
        (MULTIPART, {"a": []}),
        ("multipart/mixed", "a"),
        ("application/atom+xml", "a"),
        ("text/xml", "a"),
        ("text/plain", ["a"]),
        ("application/pdf", 1),
        ("text/plain\nX-Evil: a", "a"),
    ],
)
def test_some_bodies_cannot_be_written(media_type: str, value: Any) -> None:
    """They have no form that OpenAPI defines, or would add a line."""
    with pytest.raises(UnwritableError):
        bodies.body(media_type, value, {})


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [(FORM, {"name": "value"}), (MULTIPART, {"name": "value"}), ("*/*", {}), ("a/b", "value")],
)
def test_a_body_without_a_schema_has_a_sample(media_type: str, expected: Any) -> None:
    """It can be written."""
    assert bodies.sample(media_type) == expected
    assert bodies.body(media_type, expected, {}).text


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("GET", None, "curl http://a/"),
        ("HEAD", None, "curl --head http://a/"),
        ("DELETE", None, "curl -X DELETE http://a/"),
        ("POST", None, "curl -X POST http://a/"),
        ("POST", Body("a/b", "it's"), """curl http://a/ -H 'Content-Type: a/b' --data-raw 'it'"'"'s'"""),
        ("GET", Body("a/b", "x"), "curl -X GET http://a/ -H 'Content-Type: a/b' --data-raw x"),
        (
            "PUT",
            Body("a/b", "\0%\n"),
            "printf '\\000%%\\012' | curl -X PUT http://a/ -H 'Content-Type: a/b' --data-binary @-",
        ),
        ("POST", Body("a/b", "x" * 100_001), None),
        ("POST", Body(MULTIPART, "", (Part("a=b", "c"),)), None),
        ("POST", Body(MULTIPART, "", (Part("a", "b\nc"),)), None),
    ],
)
def test_a_command_is_one_line(method: str, body: Body | None, expected: str | None) -> None:
    """There is none for what curl, or a line of a shell, cannot take."""
    assert curl.command(method, "http://a/", [], body) == expected
