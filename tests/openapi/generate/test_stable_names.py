"""Names that programs import stay in every later minor version of the contract (promise 25)."""

import ast

import pytest

from openapi.generate.client_operations import client_model
from openapi.generate.languages import python_client
from tests.service import CONTRACTS


def names(version: str) -> set[str]:
    """Each class, function, constant, field and parameter of the client of a version, by its place."""
    found: set[str] = set()
    for file, text in python_client.emit(client_model(CONTRACTS[version]), "x").items():
        collect(ast.parse(text), file, found)
    return found


def collect(tree: ast.AST, place: str, found: set[str]) -> None:
    """Add the names in `tree`, which is at `place`, to `found`."""
    for node in ast.iter_child_nodes(tree):
        name = name_of(node)
        if name:
            found.add(f"{place}.{name}")
        collect(node, f"{place}.{name}" if name else place, found)


def name_of(node: ast.AST) -> str:
    """The name that a node gives to something; empty if it gives none."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.arg(arg=name):
            return name
    return ""


@pytest.mark.parametrize(("earlier", "later"), [("1.0", "1.1")])
def test_25_a_minor_version_renames_nothing(earlier: str, later: str) -> None:
    """The later client has every name of the earlier one."""
    known = names(earlier)
    assert {"client.py.Client.__init__.api_key", "types.py.InteractionEvent.widget_id"} <= known
    assert known - names(later) == set()
