"""Generators of clients, run on the documents, and the names and types in the code that they write."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from openapi.contract import published
from tests.node_programs import Programs
from tests.test_layers import ROOT

DOCUMENTS = {
    contract.version: ROOT / f"openapi/documents/interaction-reporting-{contract.version}.yaml"
    for contract in published()
}
SECONDS = 300
POSITIONAL = re.compile(r"\d|Inner|Item_|ItemsItem|OneOf|AnyOf|AllOf")
"""Parts of the names that generators invent: for a type without a name in the document, or with a taken one."""
RUNTIME = {"NullableInt32", "NullableInt64", "NullableFloat32", "NullableFloat64"}
"""Types that clients in Go have whatever the document is."""


@dataclass(frozen=True)
class Generator:
    """The suffix of the files that a generator writes, and patterns: the name of a type, and the type of an export."""

    suffix: str
    declaration: str
    export: str
    type: str


_TYPESCRIPT = r"^export (?:declare )?(?:interface|type|class|enum|const|function) (\w+)"
OPENAPI_GENERATOR = {
    "go": Generator(".go", r"^type (\w+)", r"Export{noun}Execute\([^)]*\) \((\S+),", "*os.File"),
    "java": Generator(".java", r"\b(?:class|enum|interface|record) (\w+)", r"public (\S+) export{noun}\(", "File"),
    "typescript-fetch": Generator(
        ".ts", _TYPESCRIPT, r"async export{noun}\(.*?\): Promise<(.+?)> ", "runtime.HttpFile"
    ),
    "python": Generator(".py", r"^class (\w+)", r"def export_{snake}\(.*?\) -> (\w+):", "bytes"),
    "csharp": Generator(
        ".cs",
        r"^\s*(?:public|internal) .*?\b(?:class|enum|interface|struct) (\w+)",
        r"class Export{noun}ApiResponse .*?public (\S+) Ok\(\)",
        "System.IO.Stream?",
    ),
}
GENERATORS = {
    **OPENAPI_GENERATOR,
    "openapi-python-client": Generator(
        ".py",
        r"^class (\w+)",
        r'"/{path}/export".*?def sync\(.*?\) -> [^:]*?\b(File)\b',
        "File",
    ),
    "openapi-typescript": Generator(".ts", _TYPESCRIPT, r'export{noun}: {{\n.*?"text/csv": (\w+);', "string"),
    "hey-api": Generator(".ts", _TYPESCRIPT, r"Export{noun}Responses = {{.*?200: (.+?);", "Blob | File"),
    "orval": Generator(".ts", _TYPESCRIPT, r"const export{noun} = <TData = AxiosResponse<(.+?)>>", "Blob"),
}


def command(name: str) -> Path:
    """The path of a command of the dependency group `generators`. Without it the test is skipped; in CI it fails."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        (pytest.fail if "CI" in os.environ else pytest.skip)("run: scripts/install test generators")
    return path


def run(name: str, *arguments: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """What a command of the group prints, errors included; AssertionError if it fails."""
    completed = complete(name, *arguments, cwd=cwd, **environment)
    assert completed.returncode == 0, completed.stdout
    return completed.stdout


def complete(
    name: str, *arguments: str | Path, cwd: Path | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """The result of a command of the group, with errors in its `stdout`."""
    path = command(name)
    return subprocess.run(
        [path, *arguments],
        cwd=cwd,
        env=os.environ | {"PATH": f"{path.parent}:{os.environ['PATH']}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def openapi_generator(*arguments: str | Path) -> str:
    """What OpenAPI Generator prints, whether it fails or not."""
    # It ends before the compiler that optimizes would pay for itself.
    return complete("openapi-generator-cli", *arguments, JAVA_OPTS="-XX:TieredStopAtLevel=1").stdout


@dataclass(frozen=True)
class Clients:
    """The clients that generators write into `directory`, each generated once."""

    directory: Path
    node: Programs

    def __call__(self, version: str, generator: str) -> Path:
        """The folder of the client for the contract of `version`; AssertionError if the generator fails."""
        folder = self.directory / f"{version}-{generator}"
        if generator in OPENAPI_GENERATOR:
            printed = self._batch
            assert (folder / ".openapi-generator" / "FILES").exists(), printed
        elif not folder.exists():
            self._generate(generator, DOCUMENTS[version], folder)
        return folder

    def sources(self, version: str, generator: str) -> str:
        """Everything that the generator writes in its language."""
        paths = sorted(self(version, generator).rglob(f"*{GENERATORS[generator].suffix}"))
        return "\n".join(path.read_text() for path in paths)

    def names(self, version: str, generator: str) -> set[str]:
        """The names of the types that the generator declares."""
        return set(re.findall(GENERATORS[generator].declaration, self.sources(version, generator), re.MULTILINE))

    def positional(self, version: str, generator: str) -> set[str]:
        """The names of types that tell a position or a number instead of a meaning."""
        return {name for name in self.names(version, generator) if POSITIONAL.search(name)} - RUNTIME

    @cached_property
    def _batch(self) -> str:
        """What OpenAPI Generator prints while it generates all clients in one process."""
        configurations = []
        for version, document in DOCUMENTS.items():
            for generator in OPENAPI_GENERATOR:
                folder = self.directory / f"{version}-{generator}"
                configurations.append(folder.with_suffix(f"{folder.suffix}.yaml"))
                configurations[-1].write_text(
                    f"generatorName: {generator}\ninputSpec: {document}\noutputDir: {folder}\n"
                )
        return openapi_generator("batch", *configurations)

    def _generate(self, generator: str, document: Path, folder: Path) -> None:
        match generator:
            case "openapi-python-client":
                run(generator, "generate", "--path", document, "--output-path", folder)
            case "openapi-typescript":
                self.node.run_tool("openapi-typescript", document, "--output", folder / "schema.ts")
            case "hey-api":
                self.node.run_tool("openapi-ts", "--input", document, "--output", folder)
            case "orval":
                self.node.run_tool("orval", "--input", document, "--output", folder / "api.ts")


def nullable_objects(document: dict[str, Any]) -> set[str]:
    """The name of each property whose value is an object or null, after the name of its schema."""
    return {
        name + "".join(word.title() for word in field.split("_"))
        for name, schema in document["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if value.get("nullable") and value.get("type") == "object"
    }
