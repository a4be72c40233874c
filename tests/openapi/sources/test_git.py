"""Files of a revision of a git repository, read by git itself."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from openapi.contract import ContractError
from openapi.sources.git import RevisionFiles
from tests.openapi.sources.repository import commit


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository as the working directory: two revisions of a document in a directory of its own."""
    directory = tmp_path / "repository"
    commit(directory, {"api/openapi.yaml": "a: 1", "api/schemas/a.yaml": "b: 2", "secret.yaml": "c: 3", "o.yaml": "d"})
    (directory / "api" / "out.yaml").symlink_to("../secret.yaml")
    (directory / "api" / "up").symlink_to("..")
    (directory / "api" / "in.yaml").symlink_to("schemas/a.yaml")
    (directory / "api" / "loop.yaml").symlink_to("loop.yaml")
    (directory / "api" / "far.yaml").symlink_to("/etc/passwd")
    commit(directory, {"api/openapi.yaml": "a: 2"})
    (directory / "api" / "openapi.yaml").write_text("a: 3")
    monkeypatch.chdir(directory)
    return directory


def files_of(argument: str) -> RevisionFiles:
    """The files of `argument`, which has the form of a revision."""
    files = RevisionFiles.of(argument)
    assert files
    return files


def document(argument: str) -> bytes:
    """The content of the file that `argument` names."""
    files = files_of(argument)
    return files.read(files.root, 1000)


@pytest.mark.parametrize("revision", ["HEAD", "main", "HEAD@{0}", "main^{commit}", "HEAD^{/Commit.}", "HEAD^{tree}"])
def test_a_revision_has_any_name_that_git_knows(repository: Path, revision: str) -> None:
    """What is not committed counts for nothing."""
    assert document(f"{revision}:api/openapi.yaml") == b"a: 2"
    assert document("HEAD~1:api/openapi.yaml") == b"a: 1"
    assert (repository / "api" / "openapi.yaml").read_text() == "a: 3"


def test_a_path_begins_at_the_top_or_at_the_working_directory(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `git show`."""
    monkeypatch.chdir(repository / "api" / "schemas")
    for path in ("api/openapi.yaml", "../openapi.yaml", "./../openapi.yaml"):
        assert document(f"HEAD:{path}") == b"a: 2"
    assert document("HEAD:./a.yaml") == b"b: 2"
    assert files_of("HEAD:../openapi.yaml").name("schemas/a.yaml") == "HEAD:../schemas/a.yaml"


def test_other_files_are_below_the_directory_of_the_same_revision(repository: Path) -> None:
    """A link may lead to one of them, and not elsewhere."""
    (repository / "api" / "schemas" / "a.yaml").write_text("new")
    files = files_of("HEAD:api/openapi.yaml")
    assert files.read("schemas/a.yaml", 1000) == files.read("in.yaml", 1000) == b"b: 2"
    for path in ("out.yaml", "up/secret.yaml", "far.yaml"):
        with pytest.raises(ContractError, match="a link that leaves the directory"):
            files.read(path, 1000)
    with pytest.raises(ContractError, match="leads back to itself"):
        files.read("loop.yaml", 1000)
    assert files_of("HEAD:o.yaml").read("secret.yaml", 1000) == b"c: 3"


def test_a_file_is_read_to_its_bound(repository: Path) -> None:
    """One byte more tells that it is too large."""
    assert repository
    assert files_of("HEAD:api/openapi.yaml").read("schemas/a.yaml", 2) == b"b: "


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("HEAD:api/no.yaml", "there is no such file in this revision"),
        ("HEAD:api", "it is a directory"),
        ("HEAD:./api/", "it is a directory"),
        ("no:api/openapi.yaml", "git knows no revision 'no' here"),
        ("--output=x:api/openapi.yaml", "git knows no revision '--output=x' here"),
        ("-:api/openapi.yaml", "git knows no revision '-' here"),
        ("HEAD^{blob}:a", "git knows no revision"),
        ("HEAD:../x.yaml", "the path leaves the repository"),
        ("HEAD:/etc/passwd", "the path leaves the repository"),
        ("HEAD:.", "the path leaves the repository"),
    ],
)
def test_what_is_not_there_is_said(repository: Path, argument: str, words: str) -> None:
    """A revision that begins with `-` is no option of git."""
    with pytest.raises(ContractError, match=words):
        document(argument)
    assert sorted(path.name for path in repository.iterdir()) == [".git", "api", "o.yaml", "secret.yaml"]


def test_a_directory_without_a_repository_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of git."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for path in ("a.yaml", "./a.yaml"):
        with pytest.raises(ContractError, match="git says: not a git repository"):
            document(f"HEAD:{path}")


def test_a_system_without_git_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other arguments need no git."""
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(ContractError, match="git cannot be started"):
        document("HEAD:api/openapi.yaml")


@pytest.mark.parametrize("argument", ["openapi.yaml", ":openapi.yaml", "HEAD:", "HEAD", "", "HEAD:a\nb", "a{b:c"])
def test_other_arguments_name_no_revision(argument: str) -> None:
    """They are names of files."""
    assert RevisionFiles.of(argument) is None


def test_a_hostile_configuration_runs_nothing(repository: Path, tmp_path: Path) -> None:
    """Git would fetch an object that a partial clone lacks, by a program that the configuration names."""
    mark, run = tmp_path / "mark", partial(subprocess.run, cwd=repository, check=True, capture_output=True, text=True)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o700)
    missing = run(["git", "rev-parse", "HEAD:o.yaml"]).stdout.strip()
    (repository / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    for name, value in (
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ssh://host/x"),
        ("core.sshCommand", str(program)),
    ):
        run(["git", "config", name, value])
    with pytest.raises(ContractError):
        document("HEAD:o.yaml")
    assert not mark.exists()
