"""JSONPath: what it selects, and the limits of a hostile path."""

from typing import Any

import pytest

from openapi.overlays.targets import LONGEST, TargetError, places

DOCUMENT: dict[str, Any] = {
    "paths": {"/a": {"get": {"tags": ["x"]}}, "/b": {"post": {"deprecated": True}}},
    "tags": [{"name": "x"}, {"name": "y", "n": 1}],
}
WIDE: dict[str, Any] = {"a": [{"b": {"c": [0] * 10}} for _ in range(10_000)]}


def nested(levels: int) -> dict[str, Any]:
    """An object within objects."""
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"x": document}
    return document


@pytest.mark.parametrize(
    ("path", "selected"),
    [
        ("$", [()]),
        ("$.paths['/a'].get", [("paths", "/a", "get")]),
        ("$.paths[*].get", [("paths", "/a", "get")]),
        ("$.tags[?@.name == 'y']", [("tags", 1)]),
        ("$.tags[?@.n || @.name == 'x']", [("tags", 0), ("tags", 1)]),
        ("$.tags[-1, 1]", [("tags", 1)]),
        ("$..deprecated", [("paths", "/b", "post", "deprecated")]),
        ("$.tags[?length(@.name) > 1]", []),
    ],
)
def test_a_path_selects_places(path: str, selected: list[tuple[Any, ...]]) -> None:
    """Each once, with its names and indices."""
    assert places(path, DOCUMENT) == selected


@pytest.mark.parametrize("document", [DOCUMENT, WIDE, nested(99)], ids=["small", "wide", "deep"])
@pytest.mark.parametrize(
    "path",
    [
        *("", "paths", "$.", "$ ", "^", "$.a | $.b", "$.~", "$[?@.a =~ /x/]", "$.tags[?nope(@)]", "$['\\ud800']"),
        *("$[?length(@.x) > 1e400]", "$[99999999999999999999999]", "$[?" + "!" * 900 + "@]", "$" + "." * LONGEST),
        *("$..[?$..*]", "$..[?count($..*) > 1]", "$[?@.*[?@.*]]"),
        *("$[?search(@.x, '(a+)+$')]", "$[?match('a', '(a+)+')]"),
    ],
)
def test_a_path_that_is_not_evaluated_is_refused(path: str, document: dict[str, Any]) -> None:
    """Other languages, errors of the library, queries within filters, and patterns that could take for ever."""
    with pytest.raises(TargetError):
        places(path, document)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("$..*..*", WIDE),
        ("$..*..*..*..*", nested(99)),
        ("$" + "..*" * 300, nested(99)),
        ("$" + "[*,*]" * 190, nested(99)),
        ("$.a[" + "0," * 400 + "0].b.c[?@ == 1]", {"a": [{"b": {"c": [0] * 10_000}}]}),
    ],
    ids=["wide", "deep", "segments", "selectors", "candidates"],
)
def test_the_steps_of_a_path_are_bounded(path: str, document: dict[str, Any]) -> None:
    """Those of values, and those of the candidates of a filter."""
    with pytest.raises(TargetError, match=r"visits more than 200,000 values|too many segments"):
        places(path, document)


def test_large_values_are_not_compared() -> None:
    """Each comparison could read the whole document."""
    with pytest.raises(TargetError, match="compare members of them"):
        places("$..[?$.paths == $.tags]", DOCUMENT)
