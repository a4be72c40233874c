"""The arrows between the rooms, read from the imports; and what each module owes its reader."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "openapi": {"openapi"},
    "db": {"db"},
    "handlers": {"handlers", "openapi", "db"},
    "scripts": {"scripts", "handlers", "openapi", "db"},
}
ROOMS = MAY_IMPORT.keys()
DRAWERS = {"utils", "util", "common", "helpers", "helper", "base", "manager", "core", "misc"}


def modules(*rooms: str) -> list[Path]:
    """Every module of `rooms`."""
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """The first name of each module that `tree` imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import is absolute"
            yield str(node.module).split(".")[0]


def tree_of(path: Path) -> ast.Module:
    """What stands in the module at `path`."""
    return ast.parse(path.read_text(), filename=str(path))


def identifier(path: Path) -> str:
    """How a test names the module at `path`."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(*ROOMS), ids=identifier)
def test_arrows_point_inwards(path: Path) -> None:
    """The rooms import scripts -> handlers -> {openapi, db}, and no other way."""
    room = path.relative_to(ROOT).parts[0]
    assert set(imported(tree_of(path))) & (ROOMS | {"tests"}) <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", modules(*ROOMS, "tests"), ids=identifier)
def test_modules_say_what_they_are_for(path: Path) -> None:
    """Each has a docstring and a name of its own, and imports at its top alone."""
    tree = tree_of(path)
    assert ast.get_docstring(tree)
    assert path.stem not in DRAWERS
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nested = [
        node for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not nested


@pytest.mark.parametrize("path", [path for path in modules(*ROOMS, "tests") if path.stem == "__init__"], ids=identifier)
def test_packages_export_nothing(path: Path) -> None:
    """An `__init__` is a docstring; that of scripts also silences two warnings of libraries before it imports them."""
    allowed = 4 if path.parent.name == "scripts" and path.parent.parent == ROOT else 1
    assert len(tree_of(path).body) <= allowed


def test_the_top_level_is_the_agreed_one() -> None:
    """The folders and files of the project, and what begins with a dot."""
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - {"fuzz-report", "uv.lock"} == {*ROOMS, "tests", "pyproject.toml", "README.md"}
