"""The types that are made from documents, judged by the compilers and by the generators of others."""

import subprocess
import sys
from pathlib import Path

import pytest

from openapi.contract import Document
from openapi.generate.declarations import declarations
from openapi.generate.languages import python_types, typescript_types
from tests.examples import MAJOR, NEWEST
from tests.generators import DOCUMENTS, command
from tests.node_programs import Programs
from tests.openapi.generate import hostile
from tests.service import CONTRACTS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("generators")]

STRICT = ("--strict", "--noEmit", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2022")
RESOLUTIONS = {
    "nodenext": ("--module", "nodenext"),
    "bundler": ("--module", "esnext", "--moduleResolution", "bundler"),
}
SAME = """\
import type * as ours from "./ours.js";
import type {{ components }} from "./theirs.js";
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : "ours is wider") : "ours is narrower";
{lines}
"""
SOURCES: dict[str, Document] = {**CONTRACTS, "hostile": Document("", hostile.document())}
WRONG_USES = {
    "a name that is not known": "event['widget'] = 'x'",
    "a text for an object": "event['metadata'] = 'x'",
    "a number for a text": "event['event_type'] = 1",
    "null where it is not allowed": "event['widget_id'] = None",
    "a kind of actor that is not known": "event['actor_type'] = 'robot'",
    "a missing field": "whole: types.InteractionEvent = {'widget_id': 'x', 'event_type': 'y'}",
    "a field that an answer lacks": "stored['client_event_id']",
}


def mypy(directory: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """What mypy says of modules, strictly."""
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={directory}/cache", *names]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_mypy_accepts_the_types(tmp_path: Path) -> None:
    """Of each contract, and of a document that is made to break them."""
    for name, source in SOURCES.items():
        (tmp_path / f"of_{name.replace('.', '_')}.py").write_text(python_types.emit(declarations(source), "Types."))
    completed = mypy(tmp_path, *[path.name for path in tmp_path.iterdir()])
    assert completed.returncode == 0, completed.stdout


def test_mypy_refuses_wrong_uses(tmp_path: Path) -> None:
    """Each of them, and none of the right ones."""
    (tmp_path / "client_types.py").write_text(python_types.emit(declarations(CONTRACTS[NEWEST]), "Types."))
    lines = [
        "import client_types as types",
        "def use(event: types.InteractionEvent, stored: types.StoredInteractionEvent) -> None:",
        "    event['metadata'] = {'a': [None, 1]}",
        "    event['actor_type'] = None if stored['event_type'] else 'user'",
        *[f"    {use}" for use in WRONG_USES.values()],
    ]
    (tmp_path / "uses.py").write_text("\n".join(lines) + "\n")
    completed = mypy(tmp_path, "uses.py")
    wrong = {int(line.split(":")[1]) for line in completed.stdout.splitlines() if ": error:" in line}
    assert wrong == set(range(5, 5 + len(WRONG_USES))), completed.stdout


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_typescript_accepts_the_types(resolution: str, node: Programs, tmp_path: Path) -> None:
    """In both ways of finding modules."""
    for name, source in SOURCES.items():
        (tmp_path / f"{name}.ts").write_text(typescript_types.emit(declarations(source), "Types."), "utf-8")
    node.run_tool("tsc", *STRICT, *RESOLUTIONS[resolution], *tmp_path.iterdir())


@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_the_types_are_those_of_openapi_typescript(version: str, node: Programs, tmp_path: Path) -> None:
    """Each is assignable to the other's, and a type with another enumeration is noticed."""
    ours = typescript_types.emit(declarations(CONTRACTS[version]), "Types.")
    node.run_tool("openapi-typescript", DOCUMENTS[version], "--output", tmp_path / "theirs.ts")
    names = CONTRACTS[version].document["components"]["schemas"]
    lines = [f'export const {name}: Same<ours.{name}, components["schemas"]["{name}"]> = true;' for name in names]
    (tmp_path / "same.ts").write_text(SAME.format(lines="\n".join(lines)))
    arguments = (*STRICT, *RESOLUTIONS["nodenext"], str(tmp_path / "same.ts"))
    (tmp_path / "ours.ts").write_text(ours)
    node.run_tool("tsc", *arguments)
    (tmp_path / "ours.ts").write_text(ours.replace('"agent" | ', "", 1))
    with pytest.raises(AssertionError, match=r"ours is (narrower|wider)"):
        node.run_tool("tsc", *arguments)


@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_the_types_are_those_of_datamodel_code_generator(version: str, tmp_path: Path) -> None:
    """Each TypedDict is assignable to the other's, and one with another enumeration is noticed."""
    ours, theirs = tmp_path / "ours.py", tmp_path / "theirs.py"
    ours.write_text(python_types.emit(declarations(CONTRACTS[version]), "Types."))
    options = [
        "--output-model-type",
        "typing.TypedDict",
        "--target-python-version",
        "3.11",
        "--formatters",
        "builtin",
        "--strict-nullable",
    ]
    generator: list[str | Path] = [
        command("datamodel-codegen"),
        "--input",
        DOCUMENTS[version],
        "--output",
        theirs,
        *options,
    ]
    subprocess.run([*generator, "--input-file-type", "openapi"], check=True, capture_output=True)
    theirs.write_text(theirs.read_text().replace(", closed=True", ""))  # ours are open: a newer service may add members
    names = [
        name
        for name, schema in CONTRACTS[version].document["components"]["schemas"].items()
        if "properties" in schema and f"class {name}(TypedDict)" in theirs.read_text()
    ]
    assert len(names) > 20
    same = "".join(
        f"def into_{name}(ours: ours.{name}) -> theirs.{name}:\n    return ours\n"
        f"def from_{name}(theirs: theirs.{name}) -> ours.{name}:\n    return theirs\n"
        for name in names
    )
    (tmp_path / "same.py").write_text(f"import ours\nimport theirs\n{same}")
    assert mypy(tmp_path, "same.py").returncode == 0, mypy(tmp_path, "same.py").stdout
    ours.write_text(ours.read_text().replace('"agent", ', "", 1))
    assert mypy(tmp_path, "same.py").returncode == 1
