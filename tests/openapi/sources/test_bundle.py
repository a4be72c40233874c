"""Documents of several files as one value."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from openapi.contract import LARGE, ContractError
from openapi.sources import bundle as bundling
from openapi.sources.bundle import Bundle, bundle
from openapi.sources.files import MOST_FILES, LocalFiles
from openapi.sources.references import Texts

START = {"openapi": "3.0.3", "info": {"title": "A", "version": "1"}}


def bundled(directory: Path, root: Any, **files: Any) -> Bundle:
    """The bundle of a document and other files, each with the suffix `.yaml`; `__` in a name stands for `/`."""
    for name, value in {"root": root, **files}.items():
        path = directory / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else yaml.dump(value))
    return bundle(Texts(LocalFiles(directory / "root.yaml")))


def ref(reference: str) -> dict[str, str]:
    """An object that is a reference."""
    return {"$ref": reference}


def with_schemas(**schemas: Any) -> dict[str, Any]:
    """A document with an operation whose body is `A`, and `schemas`."""
    body = {"content": {"application/json": {"schema": ref("#/components/schemas/A")}}}
    paths = {"/a": {"post": {"requestBody": body, "responses": {"204": {"description": "Done."}}}}}
    return {**START, "paths": paths, "components": {"schemas": schemas}}


def test_a_document_of_one_file_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is copied."""
    texts_value = bundled(tmp_path, with_schemas(A={"type": "string"}))
    assert (texts_value.value, texts_value.origins) == (with_schemas(A={"type": "string"}), {})


def test_references_are_relative_to_the_file_that_has_them(tmp_path: Path) -> None:
    """A component that is nothing but a reference becomes its target, whose name others have, too."""
    done = bundled(
        tmp_path,
        with_schemas(A=ref("schemas/A.yaml"), B={"type": "integer"}),
        schemas__A={"properties": {"b": ref("../root.yaml#/components/schemas/B"), "c": ref("C.yaml#/$defs/C")}},
        schemas__C={"$defs": {"C": {"items": ref("#/$defs/D")}, "D": {"not": ref("./A.yaml")}}},
    )
    assert done.value["components"]["schemas"] == {
        "A": {"properties": {"b": ref("#/components/schemas/B"), "c": ref("#/components/schemas/C")}},
        "B": {"type": "integer"},
        "C": {"items": ref("#/components/schemas/D")},
        "D": {"not": ref("#/components/schemas/A")},
    }
    assert done.unfollowed == {}


def test_a_reference_becomes_a_component_of_its_kind(tmp_path: Path) -> None:
    """Parameters, responses, headers and the rest; a path item stands where it was."""
    operation = {
        "parameters": [ref("o.yaml#/p")],
        "requestBody": ref("o.yaml#/b"),
        "responses": {"default": ref("o.yaml#/r"), "200": {"headers": {"H": ref("o.yaml#/h")}}},
        "callbacks": {"c": ref("o.yaml#/c")},
    }
    other = {
        "p": {"name": "p", "in": "query", "examples": {"e": ref("#/e")}},
        "b": {"content": {}},
        "r": {"description": "R", "links": {"l": ref("#/l")}},
        "h": {"required": True},
        "c": {"{$request.body#/x}": ref("paths.yaml#/b")},
        "e": {"value": 1},
        "l": {"operationId": "o"},
    }
    root = {**START, "paths": {"/a": ref("paths.yaml#/a"), "/c": ref("paths.yaml#/a")}}
    done = bundled(tmp_path, root, paths={"a": {"post": operation}, "b": {"get": {}}}, o=other)
    components = done.value["components"]
    kinds = {"parameters": "p", "requestBodies": "b", "responses": "r", "headers": "h", "callbacks": "c"}
    kinds |= {"examples": "e", "links": "l", "pathItems": "b"}
    assert {kind: name for kind, names in components.items() for name in names} == kinds
    assert list(done.value["paths"]["/a"]) == ["post"]
    assert done.value["paths"]["/c"] == ref("#/paths/~1a")


def test_equal_names_get_a_number(tmp_path: Path) -> None:
    """The names of the document stay; a name is made of characters that OpenAPI allows."""
    inner = {"properties": {"b": ref("x/B.yaml"), "c": ref("y/B.yaml"), "d": ref("y/B.yaml#/properties/a%20b~1c")}}
    done = bundled(tmp_path, with_schemas(A=inner, B={}), x__B={"type": "string"}, y__B={"properties": {"a b/c": {}}})
    names = {name: inner["$ref"] for name, inner in done.value["components"]["schemas"]["A"]["properties"].items()}
    assert names == {
        "b": "#/components/schemas/B_2",
        "c": "#/components/schemas/B_3",
        "d": "#/components/schemas/B_3/properties/a b~1c",
    }


def test_the_mapping_of_a_discriminator_is_followed(tmp_path: Path) -> None:
    """A name of a component stays a name."""
    mapping = {"x": "B.yaml", "y": "#/components/schemas/C", "z": "C"}
    one = {"oneOf": [ref("B.yaml")], "discriminator": {"propertyName": "p", "mapping": mapping}}
    done = bundled(tmp_path, with_schemas(A=one, C={}), B={"type": "object"})
    assert done.value["components"]["schemas"]["A"]["discriminator"]["mapping"] == {
        **mapping,
        "x": "#/components/schemas/B",
    }


def test_values_are_no_references(tmp_path: Path) -> None:
    """A default or an enumeration may hold what looks like one; a property of that name does not."""
    schema = {"default": ref("B.yaml"), "enum": [ref("B.yaml")], "properties": {"default": ref("B.yaml")}}
    done = bundled(tmp_path, with_schemas(A=schema), B={"type": "object"})
    assert done.value["components"]["schemas"]["A"] == {
        **schema,
        "properties": {"default": ref("#/components/schemas/B")},
    }


def test_whole_parts_of_a_document_may_be_elsewhere(tmp_path: Path) -> None:
    """Tools accept what OpenAPI does not: all paths, or all components of a kind, in a file."""
    root = {**START, "paths": ref("paths/all.yaml"), "components": {"schemas": ref("schemas.yaml")}}
    paths = {"/a": ref("a.yaml"), "/b": {"get": {"parameters": [ref("../p.yaml")]}}}
    done = bundled(
        tmp_path,
        root,
        paths__all=paths,
        paths__a={"get": {"x": ref("../schemas.yaml#/A")}},
        schemas={"A": ref("#/B"), "B": {"type": "string"}},
        p={"name": "p"},
    )
    assert done.value["paths"] == {
        "/a": {"get": {"x": ref("#/components/schemas/A")}},
        "/b": {"get": {"parameters": [ref("#/components/parameters/p")]}},
    }
    assert done.value["components"]["schemas"]["B"] == {"type": "string"}


@pytest.mark.parametrize("reference", ["no.yaml", "https://example.com/a.yaml", "../a.yaml", "#/x-no"])
def test_all_paths_behind_a_reference_that_is_not_followed_are_refused(tmp_path: Path, reference: str) -> None:
    """Otherwise two documents would have no operations, and be equal."""
    root = {**START, "paths": ref(reference), "components": {"schemas": {"A": ref("b.yaml")}}}
    with pytest.raises(ContractError, match=r"root\.yaml: paths: \$ref '"):
        bundled(tmp_path, root, b={})


def test_files_may_refer_to_each_other(tmp_path: Path) -> None:
    """A cycle of files is a recursive schema; one of references alone leads back to itself."""
    done = bundled(
        tmp_path,
        with_schemas(A=ref("b.yaml"), C=ref("d.yaml")),
        b={"properties": {"c": ref("c.yaml")}},
        c={"items": ref("b.yaml")},
        d=ref("e.yaml"),
        e=ref("d.yaml"),
    )
    schemas = done.value["components"]["schemas"]
    assert schemas["A"]["properties"]["c"] == ref("#/components/schemas/c")
    assert schemas["c"]["items"] == ref("#/components/schemas/A")
    assert schemas["C"] == ref("#/components/schemas/C")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("../secret.yaml", "leaves the directory of the document"),
        ("x/../../secret.yaml", "leaves the directory of the document"),
        ("%2e%2e/secret.yaml", "leaves the directory of the document"),
        ("/etc/passwd", "leaves the directory of the document"),
        ("file:///etc/passwd", "is remote, and nothing is fetched: bundle it into one file"),
        ("https://example.com/a.yaml#/A", "is remote, and nothing is fetched: bundle it into one file"),
        ("//example.com/a.yaml", "is remote, and nothing is fetched: bundle it into one file"),
        ("http://[x/", "is no URI reference"),
        ("b.yaml#A", "has a fragment that is no JSON pointer"),
        ("b.yaml#/no", "leads nowhere"),
        ("no.yaml", "is not followed: {}/no.yaml: No such file or directory"),
        ("out.yaml", "is not followed: {}/out.yaml: it is a link that leaves the directory of the document"),
        ("bad.yaml", "is not followed: {}/bad.yaml:1:5: it is not YAML"),
        (".", "is not followed: {}: Is a directory"),
        ("%00", "is not followed: {}/\0: no file has such a name"),
    ],
)
def test_what_is_not_followed_stays_with_its_reason(tmp_path: Path, reference: str, reason: str) -> None:
    """Only what needs it fails."""
    directory = tmp_path / "api"
    directory.mkdir()
    (tmp_path / "secret.yaml").write_text("type: string")
    (directory / "out.yaml").symlink_to("../secret.yaml")
    schema = {"properties": {"a": ref(reference), "b": ref("b.yaml")}}
    done = bundled(directory, with_schemas(A=schema), b={"type": "string"}, bad="a: b: c")
    ((kept, said),) = done.unfollowed.items()
    assert said.startswith(reason.format(directory))
    assert done.value["components"]["schemas"]["A"]["properties"] == {
        "a": ref(kept),
        "b": ref("#/components/schemas/b"),
    }


def test_a_document_has_at_most_a_thousand_files(tmp_path: Path) -> None:
    """Each refers to the next one; a thousand of them are no deep recursion."""
    for number in range(MOST_FILES + 1):
        (tmp_path / f"f{number}.yaml").write_text(f"$ref: f{number + 1}.yaml")
    with pytest.raises(ContractError, match="more than 1,000 files"):
        bundled(tmp_path, with_schemas(A=ref("f0.yaml")))
    (tmp_path / f"f{MOST_FILES - 2}.yaml").write_text("type: string")
    done = bundled(tmp_path, with_schemas(A=ref("f0.yaml")))
    assert done.value["components"]["schemas"]["A"] == {"type": "string"}


def test_a_document_has_a_bounded_size(tmp_path: Path) -> None:
    """The bytes of all files count."""
    with (tmp_path / "b.yaml").open("wb") as file:
        file.truncate(LARGE)
    with pytest.raises(ContractError, match=f"b.yaml: the document is larger than {LARGE} bytes"):
        bundled(tmp_path, with_schemas(A=ref("b.yaml")))


def test_values_that_contain_each_other_may_not_grow_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """References to a value, to one in it, and so on, each become a component."""
    monkeypatch.setattr(bundling, "MOST_COPIED", 1000)
    deep = {"a": "b: " + "[" * 90 + "1" + "]" * 90}["a"]
    names = {f"p{level}": ref("b.yaml#/b" + "/0" * (89 - level)) for level in range(80)}
    with pytest.raises(ContractError, match="more than 1,000 objects and lists"):
        bundled(tmp_path, with_schemas(A={"properties": names}), b=deep)
