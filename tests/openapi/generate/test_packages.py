"""Packages of clients: whole, the same bytes each time, and harmless whatever the document says."""

import ast
import io
import zipfile

import pytest

from openapi.contract import Document
from openapi.generate.client_operations import client_model
from openapi.generate.languages import packages
from openapi.generate.outside_profile import OutsideProfile
from tests.openapi.generate import hostile
from tests.service import CONTRACTS

SOURCES = {**CONTRACTS, "hostile": Document("", hostile.document())}


def files_of(document: Document) -> dict[str, str]:
    """The modules in the wheel of a document."""
    with zipfile.ZipFile(io.BytesIO(packages.python_wheel(client_model(document)).content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize("name", SOURCES)
def test_each_module_is_python_that_runs_nothing_of_the_document(name: str) -> None:
    """Every module can be read, and has no statement but imports, definitions, assignments and docstrings."""
    allowed = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Assign, ast.Expr)
    for file, text in files_of(SOURCES[name]).items():
        if file.rpartition("/")[2] in {"types.py", "client.py", "resources.py", "async_resources.py", "outbox.py"}:
            tree = ast.parse(text)
            assert all(isinstance(statement, (*allowed, ast.AnnAssign)) for statement in tree.body), file
            texts = [statement.value for statement in tree.body if isinstance(statement, ast.Expr)]
            assert all(isinstance(value, ast.Constant) for value in texts), file
            assert "PWNED" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}, file


def test_two_builds_are_the_same_bytes() -> None:
    """So that a digest of the archive is that of its content."""
    first, second = (packages.python_wheel(client_model(CONTRACTS["1.1"])) for _ in range(2))
    assert first == second
    assert first.content != packages.python_wheel(client_model(CONTRACTS["2.0"])).content


def test_a_wheel_lists_its_files_with_their_digests() -> None:
    """RECORD has each file once, and the package has no module of ours by its name here."""
    files = files_of(CONTRACTS["1.1"])
    record = next(text for name, text in files.items() if name.endswith("RECORD"))
    assert [line.partition(",")[0] for line in record.splitlines()] == list(files)
    assert not [name for name, text in files.items() if "openapi.clients" in text]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Interaction Reporting API", "interaction_reporting"),
        ("My API client", "my"),
        ("名前", "client"),
        ("1st \n*/ thing", "client_1_st_thing"),
        ("", "client"),
    ],
)
def test_the_package_is_named_by_the_title(title: str, name: str) -> None:
    """An identifier in every language."""
    assert packages.package_name(title) == name


def test_what_no_method_can_send_is_refused() -> None:
    """With its place: a body that is no JSON, a parameter in a cookie, one with another style."""
    parameter = {"name": "a", "in": "query", "style": "deepObject", "schema": {"type": "object"}}
    operations: list[dict[str, object]] = [
        {"requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        {"parameters": [{"name": "a", "in": "cookie", "schema": {"type": "string"}}]},
        {"parameters": [parameter]},
    ]
    for operation in operations:
        info = {"title": "T", "version": "1"}
        document = {"openapi": "3.0.3", "info": info, "paths": {"/a": {"post": {"responses": {}, **operation}}}}
        with pytest.raises(OutsideProfile, match="/paths/~1a/post"):
            client_model(Document("", document))
