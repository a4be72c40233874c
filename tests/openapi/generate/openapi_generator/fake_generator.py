"""A program in place of OpenAPI Generator: its first argument says what it does, its second is a file of its runs."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

MANNER, RUNS = sys.argv[1:3]


def write_client(names: list[str], suffix: str) -> None:
    """Write a client with a method for each name, and what an archive must not have."""
    for path, text in {
        f"client/api.{suffix}": "\n".join(f"func {name[0].upper()}{name[1:]}() {{}}" for name in names),
        "client/docs/Größe.md": "Größe\n",
        "client/.openapi-generator/FILES": "api.go\n",
        "client/.travis.yml": "language: go\n",
        "client/git_push.sh": "git push\n",
        "client/gradle/wrapper/gradle-wrapper.jar": "PK\x03\x04",
    }.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def fail() -> None:
    """Exit as for a document that it does not take."""
    sys.exit(f"it does not know\n  {Path.cwd()}/document.json")


def die_once() -> None:
    """Crash in the first run."""
    if len(Path(RUNS).read_text().splitlines()) == 1:
        os.abort()


def sleep() -> None:
    """Never end."""
    time.sleep(1000)


def wait() -> None:
    """Go on when the file beside that of the runs is gone."""
    while Path(RUNS).with_suffix(".wait").exists():
        time.sleep(0.01)


def take_memory() -> None:
    """Never end, with 300 MB."""
    _taken = b"x" * 300_000_000
    sleep()


def take_disk() -> None:
    """Never end, with 30 MB of files."""
    for number in range(30):
        Path(f"{number}.bin").write_bytes(b"x" * 1_000_000)
    sleep()


def leave_child() -> None:
    """Start a program that never ends."""
    with Path(RUNS).open("a") as runs:
        runs.write(f"{subprocess.Popen(['/bin/sleep', '1000']).pid}\n")


def warn() -> None:
    """Warn that something is missing."""
    print("[main] WARN  o.o.codegen.utils.ModelUtils - Failed to get the schema name: null")


def rename() -> None:
    """Warn that a name has changed."""
    print("[main] WARN  o.o.c.languages.Rust - type cannot be used as a field/variable name. Renamed to r#type")


def tell() -> None:
    """Print what bounds this program, and the names of its environment."""
    limits = [resource.getrlimit(name)[0] for name in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)]
    print(json.dumps({"niceness": os.nice(0), "limits": limits, "environment": sorted(os.environ)}))
    sys.exit(3)


def write_binary() -> None:
    """Write a file that is no text."""
    Path("client").mkdir()
    Path("client/api.jar").write_bytes(b"\xff\xfe")


def link() -> None:
    """Write a link to a file of the system."""
    Path("client").mkdir()
    Path("client/secret.go").symlink_to("/etc/passwd")


MANNERS = {
    "fails": fail,
    "dies": os.abort,
    "dies once": die_once,
    "sleeps": sleep,
    "waits": wait,
    "takes memory": take_memory,
    "takes disk": take_disk,
    "leaves a child": leave_child,
    "warns": warn,
    "renames": rename,
    "tells": tell,
    "writes binary": write_binary,
    "links": link,
}


def main() -> None:
    """Do as MANNER says, then write a client; `fails for LANGUAGE` fails for one alone, `leaves out` an operation."""
    with Path(RUNS).open("a") as runs:
        runs.write(f"{os.getpid()}\n")
    document = json.loads(Path("document.json").read_text())
    language = json.loads(Path("configuration.json").read_text())["generatorName"]
    if f"fails for {language}" == MANNER:
        fail()
    MANNERS.get(MANNER, lambda: None)()
    names = [node["operationId"] for item in document["paths"].values() for node in item.values()]
    write_client(names[1:] if MANNER == "leaves out" else names, language)


main()
