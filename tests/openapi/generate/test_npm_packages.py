"""Packages for npm: whole, the same bytes each time, and harmless whatever the document says."""

import io
import json
import posixpath
import re
import tarfile

import pytest

from openapi.contract import Document
from openapi.generate.client_operations import client_model
from openapi.generate.languages import packages, typescript_client
from tests.openapi.generate import hostile
from tests.service import CONTRACTS

SOURCES = {**CONTRACTS, "hostile": Document("", hostile.document())}
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
"""A comment or a literal of the code that is made from a document."""


def files_of(document: Document) -> dict[str, str]:
    """The files in the tarball of a document."""
    package = packages.npm_tarball(client_model(document))
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        return {member.name: (archive.extractfile(member) or io.BytesIO()).read().decode() for member in archive}


@pytest.mark.parametrize("name", SOURCES)
def test_texts_of_a_document_are_in_comments_and_literals_alone(name: str) -> None:
    """What is left is of letters, digits and signs that the templates have; Node.js reads it in another test."""
    made = typescript_client.emit(client_model(SOURCES[name]), "package")
    for file, text in made.items():
        if not file.endswith(".md"):
            rest = TOKEN.sub("", text)
            assert rest.isascii(), file
            assert not re.search(r"pwned = |throw new|alert\(|globalThis\.", rest, re.IGNORECASE), file
            assert not set(rest) & set("`'\\\"\x00"), file


def test_two_builds_are_the_same_bytes() -> None:
    """So that a digest of the archive is that of its content."""
    first, second = (packages.npm_tarball(client_model(CONTRACTS["1.1"])) for _ in range(2))
    assert first == second
    assert first.content[4:8] == bytes(4), "the archive has the time of its making"
    assert first.content != packages.npm_tarball(client_model(CONTRACTS["2.0"])).content


@pytest.mark.parametrize("name", SOURCES)
def test_the_manifest_needs_no_package_and_runs_nothing(name: str) -> None:
    """Its name and version are those that npm accepts, and the files that it names are there."""
    files = files_of(SOURCES[name])
    manifest = json.loads(files["package/package.json"])
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,80}", manifest["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert manifest["type"] == "module"
    assert manifest.keys() & {"scripts", "dependencies", "peerDependencies", "bin"} == set()
    named = re.findall(r'"\./([^"]+)"', json.dumps(manifest["exports"]))
    assert {f"package/{path}" for path in named} <= files.keys()


def test_a_module_imports_what_the_package_has() -> None:
    """Each path that a module or a declaration imports is a file of the package, or a module of Node.js."""
    files = files_of(CONTRACTS["1.1"])
    for name, text in files.items():
        for path in re.findall(r'(?:from |import\()"([^"]+)"', TOKEN.sub(_without_comments, text)):
            if name.endswith((".js", ".ts")) and not path.startswith("node:"):
                whole = posixpath.normpath(f"{posixpath.dirname(name)}/{path}")
                assert {whole, whole.replace(".js", ".d.ts")} & files.keys(), (name, path)


def test_a_browser_needs_no_module_of_node() -> None:
    """What the package has for browsers imports nothing of Node.js; that for Node.js does, for its files."""
    files = files_of(CONTRACTS["1.1"])
    assert json.loads(files["package/package.json"])["exports"]["."]["browser"] == "./index_browser.js"
    assert not [path for path in _reached(files, "package/index_browser.js") if path.startswith("node:")]
    assert "node:fs" in _reached(files, "package/index.js")


def _reached(files: dict[str, str], start: str) -> set[str]:
    """The modules that one imports, itself or by others."""
    found, waiting = set[str](), [start]
    while waiting:
        name = waiting.pop()
        found.add(name)
        for path in re.findall(r'(?:from |import\()"([^"]+)"', TOKEN.sub(_without_comments, files.get(name, ""))):
            whole = path if path.startswith("node:") else posixpath.normpath(f"{posixpath.dirname(name)}/{path}")
            waiting += [whole] if whole not in found else []
    return found


def _without_comments(token: "re.Match[str]") -> str:
    return token[0] if token[0].startswith('"') else ""


def test_names_are_those_of_the_language() -> None:
    """In camel case; a reserved word, a taken name and one in another script are changed, the same each time."""
    taken = {"constructor", "class"}
    names = ["report_batch", "widget_id", "constructor", "class", "1st", "größe", "名前", "__proto__"]
    given = [typescript_client.identifier(name, taken, "query") for name in names]
    assert given[:6] == ["reportBatch", "widgetId", "constructor_query", "class_query", "x_1St", given[5]]
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in given)
    assert len(set(given)) == len(names)
    assert typescript_client.literal('</script>\u2028"') == '"<\\/script>\\u2028\\""'
