"""The files of one revision of a git repository, as `REV:path` names them: read by `git cat-file`, which runs no hook.

Tried with git 2.39. `cat-file` writes no lock, applies no filter, and takes names from its standard input, so that
a name that begins with `-` is no option. Links are followed within a tree only.
"""

import os
import posixpath
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, cast

from openapi.contract import ContractError

SECONDS = 30
"""Limit on the time of one program of git."""
_NAMED = re.compile(r"(?P<revision>(?:[^:{]|\{[^}]*\})+):(?P<path>.+)")
_OBJECT = re.compile(rb"(?P<id>[0-9a-f]{40,64}) (?P<type>[a-z]+) (?P<size>[0-9]+)\n")
_LINK = re.compile(rb"(?P<fault>symlink|dangling|loop|notdir) (?P<size>[0-9]+)\n")
_LINKS = {
    "symlink": "it is a link that leaves the directory of the document",
    "dangling": "it is a link that leads nowhere",
    "loop": "it is a link that leads back to itself",
    "notdir": "a part of its path is not a directory",
}
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}
"""Nothing is fetched: a partial clone would run the transport that its configuration names for a missing object."""


@dataclass(frozen=True)
class RevisionFiles:
    """The files below the directory of the file `path` at `revision`, in the repository of the working directory."""

    revision: str
    path: str
    """It begins at the top of the repository or, with `./` or `../`, at the working directory."""

    @classmethod
    def of(cls, argument: str) -> "RevisionFiles | None":
        """The files that `argument`, as `REV:path`, names; None if it has another form."""
        matched = _NAMED.fullmatch(argument)
        return cls(matched["revision"], matched["path"]) if matched else None

    @property
    def root(self) -> str:
        """The name of the first file."""
        return posixpath.basename(self.path)

    def name(self, path: str) -> str:
        """The file at `path` as git names it."""
        return f"{self.revision}:{posixpath.join(posixpath.dirname(self.path), path)}"

    def read(self, path: str, most: int) -> bytes:
        """The content of the file at `path`."""
        tree, name = (self._top, self._from_top) if path == self.root else (self._directory, path)
        kind, _, content = _object(f"{tree}:{name}", most)
        if kind != "blob":
            raise ContractError("it is a directory" if kind == "tree" else f"it is a {kind}")
        return content

    @cached_property
    def _top(self) -> str:
        """The identifier of the tree of the revision."""
        try:
            _, tree, _ = _object(f"{self.revision}^{{tree}}", 0)
        except _Missing:
            raise ContractError(f"git knows no revision {self.revision!r} here") from None
        return tree

    @cached_property
    def _from_top(self) -> str:
        """The path from the top of the repository."""
        path = self.path
        if path.startswith(("./", "../")):
            path = posixpath.join(_run("rev-parse", "--show-prefix"), path)
        path = posixpath.normpath(path)
        if path.startswith(("../", "/")) or path in ("..", "."):
            raise ContractError("the path leaves the repository: it begins at its top, or with ./")
        return path

    @cached_property
    def _directory(self) -> str:
        """The identifier of the tree of the directory: git follows no link out of it."""
        directory = posixpath.dirname(self._from_top)
        return _object(f"{self._top}:{directory}", 0)[1] if directory else self._top


class _Missing(ContractError):
    """There is no such object."""


def _object(name: str, most: int) -> tuple[str, str, bytes]:
    """The type, the identifier and the content, at most `most` + 1 bytes, of the object that `name` names."""
    if "\n" in name or "\0" in name:
        raise _Missing("git knows no such file")
    with _git("cat-file", "--batch", "--follow-symlinks") as (names, answers, errors):
        try:
            names.write(os.fsencode(name) + b"\n")
            names.close()
        except BrokenPipeError:
            pass  # its error says why
        header = answers.readline()
        if link := _LINK.fullmatch(header):
            raise ContractError(_LINKS[link["fault"].decode()])
        if header.endswith(b" missing\n"):
            raise _Missing("there is no such file in this revision")
        if matched := _OBJECT.fullmatch(header):
            size = min(int(matched["size"]), most + 1)
            content = answers.read(size)
            if len(content) < size:
                raise ContractError(_reason(b""))
            return matched["type"].decode(), matched["id"].decode(), content
        raise ContractError(_reason(header or errors.read(1000)))


def _run(*arguments: str) -> str:
    """The line that git prints."""
    with _git(*arguments) as (_, answers, errors):
        line = answers.readline(10_000)
        if not line:
            raise ContractError(_reason(errors.read(1000)))
        return os.fsdecode(line.rstrip(b"\n"))


def from_top(path: str) -> str:
    """The path of a file from the top of the repository of the working directory; `path` if it is in none."""
    try:
        top = os.path.realpath(_run("rev-parse", "--show-toplevel"))
    except ContractError:
        return path
    full = os.path.realpath(path)
    return posixpath.relpath(full, top) if Path(full).exists() and full.startswith(f"{top}/") else path


@contextmanager
def _git(*arguments: str) -> Iterator[tuple[IO[bytes], IO[bytes], IO[bytes]]]:
    """The input, output and errors of git with `arguments`, which ends with the block, or after SECONDS."""
    command = ["git", "--no-pager", "--no-optional-locks", *arguments]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 (no argument is a user's)
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | _ENVIRONMENT
        )
    except OSError as error:
        raise ContractError(f"git cannot be started, which reads REV:path: {error.strerror}") from None
    streams = cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", (process.stdin, process.stdout, process.stderr))
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        yield streams
    finally:
        timer.cancel()
        process.kill()
        for stream in reversed(streams):
            stream.close()
        process.wait()


def _reason(message: bytes) -> str:
    """The first line of what git says, or that it says nothing in time."""
    lines = message.decode("utf-8", "replace").splitlines()
    return f"git says: {lines[0].removeprefix('fatal: ')}" if lines else f"git gave no answer in {SECONDS} seconds"
