"""Local files and standard input."""

import io
import os
from pathlib import Path

import pytest

from openapi.contract import LARGE, ContractError
from openapi.sources.files import MOST_FILES, Budget, LocalFiles, StandardInput, TooLarge


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    """A directory with a document, and a secret beside it."""
    directory = tmp_path / "api"
    (directory / "schemas").mkdir(parents=True)
    (directory / "openapi.yaml").write_text("a: 1")
    (directory / "schemas" / "a.yaml").write_text("b: 2")
    (tmp_path / "secret.yaml").write_text("c: 3")
    return LocalFiles(directory / "openapi.yaml")


def test_files_are_named_from_the_working_directory(files: LocalFiles) -> None:
    """The name leads a reader, and an annotation, to the file."""
    assert files.read(files.root, 100) == b"a: 1"
    assert files.read("schemas/a.yaml", 100) == b"b: 2"
    assert Path(files.name("schemas/a.yaml")).read_text() == "b: 2"


def test_a_file_is_read_to_its_bound(files: LocalFiles) -> None:
    """One byte more tells that it is too large."""
    assert files.read("schemas/a.yaml", 2) == b"b: "


def test_a_link_that_leaves_the_directory_is_refused(files: LocalFiles) -> None:
    """A link to a file, and one to a directory; a link within the directory is followed."""
    directory = files.argument.parent
    (directory / "out.yaml").symlink_to("../secret.yaml")
    (directory / "up").symlink_to("..")
    (directory / "in.yaml").symlink_to("schemas/a.yaml")
    for path in ("out.yaml", "up/secret.yaml"):
        with pytest.raises(ContractError, match="a link that leaves the directory"):
            files.read(path, 100)
    assert files.read("in.yaml", 100) == b"b: 2"


def test_the_document_itself_may_be_a_link(files: LocalFiles) -> None:
    """Its user names it; what it refers to is below the directory of the link."""
    link = files.argument.parent / "link.yaml"
    link.symlink_to("../secret.yaml")
    assert LocalFiles(link).read("link.yaml", 100) == b"c: 3"


@pytest.mark.parametrize("path", ["no.yaml", "schemas", "loop", "pipe", "n\0ul", "x" * 5000])
def test_what_is_no_file_is_refused(files: LocalFiles, path: str) -> None:
    """A pipe would never end."""
    directory = files.argument.parent
    (directory / "loop").symlink_to("loop")
    os.mkfifo(directory / "pipe")
    with pytest.raises(ContractError):
        files.read(path, 100)


def test_standard_input_has_one_document() -> None:
    """It has no directory."""
    source = StandardInput(io.BytesIO(b"a: 1"))
    assert (source.read(source.root, 100), source.name(source.root)) == (b"a: 1", "standard input")
    with pytest.raises(ContractError, match="name its file, or bundle it"):
        source.read("schemas/a.yaml", 100)


def test_a_document_has_few_files_and_bytes() -> None:
    """Each bound has its own words."""
    budget = Budget(files=1, size=3)
    budget.admit("a.yaml")
    budget.spend("a.yaml", b"abc")
    with pytest.raises(TooLarge, match=rf"b.yaml: the document has more than {MOST_FILES:,} files"):
        budget.admit("b.yaml")
    with pytest.raises(TooLarge, match=f"a.yaml: the document is larger than {LARGE} bytes"):
        budget.spend("a.yaml", b"d")
