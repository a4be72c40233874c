"""JSON Pointer (RFC 6901): writing it, and reading it from a reference."""

import pytest

from openapi.standards.json_pointer import member, parts_of, pointer


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param((), "", id="the whole"),
        pytest.param(("foo", 0), "/foo/0", id="an item"),
        pytest.param(("",), "/", id="an empty name"),
        pytest.param(("a/b",), "/a~1b", id="a slash"),
        pytest.param(("m~n",), "/m~0n", id="a tilde"),
        pytest.param(("~1",), "/~01", id="what looks escaped"),
    ],
)
def test_a_pointer_is_written_as_rfc_6901_says(parts: tuple[str | int, ...], expected: str) -> None:
    """Slash and tilde within a name are escaped, in the order that keeps them distinct."""
    assert pointer(*parts) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        pytest.param("#/foo/0", ("foo", "0"), id="an item"),
        pytest.param("#/", ("",), id="an empty name"),
        pytest.param("#/a~1b/m~0n/~01", ("a/b", "m~n", "~1"), id="escaped by the pointer"),
        pytest.param("#/c%25d/%20/k%22l", ("c%d", " ", 'k"l'), id="escaped by the URI"),
    ],
)
def test_a_reference_is_read_as_rfc_6901_says(reference: str, expected: tuple[str, ...]) -> None:
    """Both escapes are undone, those of the URI first; a written pointer is read back unchanged."""
    assert parts_of(reference) == expected
    assert parts_of("#" + pointer(*expected).replace("%", "%25")) == expected


@pytest.mark.parametrize("part", ["-1", "+1", " 1", "01", "\uff11", "1.0", "2", "9" * 5000, "", "-"])
def test_an_index_is_written_in_one_way(part: str) -> None:
    """Python's int() takes more; no part leads to an item that it does not name."""
    assert member(["a", "b"], "1") == "b"
    assert member({part: "a"}, part) == "a"
    with pytest.raises(LookupError):
        member(["a", "b"], part)
