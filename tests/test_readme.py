"""The READMEs are correct: their commands run, their tables match the code, and their links resolve."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from scripts.cli import app
from scripts.service.demonstration import WIDGET
from scripts.service.settings import table
from scripts.trials.fresh_service import Service, service_on
from tests.examples import MAJOR, NEWEST
from tests.postgresql import DEBIAN, debian_server
from tests.readmes import BLOCKS, LINKS, READMES, Link, anchors, arrows, blocks
from tests.test_layers import ARROWS, ROOT
from tests.tokens import SCOPES

pytestmark = pytest.mark.slow

pytest_plugins = ["tests.databases"]

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / ".ci" / "CONTRIBUTING.md").read_text()
URL = "http://127.0.0.1:8080"
FIRST_EVENT = "First event"
SENDER = "A reliable sender"
CALLS = "Calls of a hub"
POSTGRESQL = "A PostgreSQL of your own"
IN_TESTS_OF_THEIR_OWN = (
    "scripts/check",
    "scripts/demo",
    "scripts/install",
    "scripts/test",
    "interaction-reporting fuzz",
    "interaction-reporting mock",
    "interaction-reporting serve",
)
LINE_BY_LINE = {
    "operators": [
        "For operators",
        "Keys and clients",
        "Pages in browsers",
        "The migration window",
        "Upgrade, backup, retention",
        "Erase a person's data",
        "Outside the API",
    ],
    "reviewers": [
        "For integrators",
        "For reviewers",
        "Versions and their history",
        "Types and requests for clients",
        "Clients",
        "For contributors",
        "Interaction Reporting API",
    ],
}
"""Headings of independent commands; a test runs those of one reader on one service."""
TESTED = {
    *((heading, "sh") for headings in LINE_BY_LINE.values() for heading in headings),
    (FIRST_EVENT, "sh"),
    (SENDER, "python"),  # tests/contract/test_reliable_sender.py
    (SENDER, "js"),  # likewise
    (SENDER, "sh"),  # tests/handlers/site/test_client_pages.py
    (CALLS, "sh"),
    ("Version 2 in five steps", "sh"),
    (POSTGRESQL, "sql"),
    (POSTGRESQL, "sh"),
    ("For reviewers", "yaml"),
    ("For QA", "sh"),
    ("How fast", "sh"),
}


def run(service: Service, directory: Path, *command: str, **variables: str) -> str:
    """The output of `command`, run with the files of the project and the commands of its environment."""
    for name in ("openapi", "scripts", ".venv"):
        if not (directory / name).exists():
            (directory / name).symlink_to(ROOT / name)
    environment = os.environ | {
        "IR_DATA_DIR": str(service.data_dir),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **variables,
    }
    completed = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def pasted(service: Service, directory: Path, *texts: str) -> str:
    """The output of one shell that runs `texts` in order, with the URL of `service`."""
    return run(service, directory, "bash", "-euc", "".join(texts).replace(URL, service.url))


def test_each_block_of_code_is_tested() -> None:
    """A block below any other heading fails: add it to a test, and its heading to TESTED."""
    assert {(block.heading, block.language) for block in BLOCKS} == TESTED


def test_a_first_event_works_as_readme_says(directory: Path) -> None:
    """The block of the section posts an event, which is accepted."""
    with service_on(directory) as service:
        assert "HTTP/1.1 201 Created" in pasted(service, directory, *blocks(FIRST_EVENT))


def test_batches_manifests_and_lists_work_as_readme_says(directory: Path) -> None:
    """The blocks of the section, pasted after that of the first event, succeed."""
    with service_on(directory) as service:
        printed = pasted(service, directory, *blocks(FIRST_EVENT), *blocks(CALLS))
    assert '"totals":{"received":3,"created":3,' in printed
    assert "Preference-Applied: dry-run".lower() in printed.lower()
    assert '"name":"acme.rated"' in printed
    assert '"has_more":true' in printed
    assert '"error"' not in printed


def test_a_token_is_issued_and_used_as_readme_says(directory: Path) -> None:
    """The block of the section, pasted after that of the first event, posts an event and shows the metadata."""
    with service_on(directory) as service:
        printed = pasted(service, directory, *blocks(FIRST_EVENT), *blocks("Version 2 in five steps"))
    assert printed.count("HTTP/1.1 201 Created") == 2
    assert '"active":true' in printed
    assert f'"resource":"{service.url}/api/v2"' in printed


@pytest.mark.parametrize("reader", LINE_BY_LINE)
def test_the_commands_run(directory: Path, monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    """Each command below the headings succeeds; the slow ones have tests of their own."""
    with service_on(directory) as service:
        run(service, directory, "true")
        monkeypatch.chdir(directory)
        monkeypatch.setenv("IR_DATA_DIR", str(service.data_dir))
        for heading in LINE_BY_LINE[reader]:
            for block in (block for block in blocks(heading) if block not in back_up()):
                for command in block.replace(URL, service.url).splitlines():
                    if not command.startswith(IN_TESTS_OF_THEIR_OWN):
                        assert output_of(service, directory, command), command


def output_of(service: Service, directory: Path, command: str) -> str:
    """The output of `command`, or the file that it writes; our own command runs in this process, which is faster."""
    name, *arguments = shlex.split(command, comments=True)
    if name != "interaction-reporting" or ">" in arguments:
        return run(service, directory, "bash", "-euc", command) or command.rpartition(">")[2]
    expanded = [
        path
        for argument in arguments
        for path in (sorted(map(str, Path().glob(argument))) if "*" in argument else [argument])
    ]
    completed = CliRunner().invoke(app, expanded, catch_exceptions=False)
    assert completed.exit_code == 0, completed.stderr
    return completed.stdout


def back_up() -> list[str]:
    """The blocks that back up a server and restore it: by our commands, and by those of PostgreSQL."""
    return [block for block in blocks("Upgrade, backup, retention") if "$restored" in block]


def test_a_server_is_prepared_backed_up_and_restored_as_readme_says(directory: Path) -> None:
    """On PostgreSQL 15 the role that README creates migrates its database; the restored database is complete, too."""
    (create,), (migrate,) = blocks(POSTGRESQL, "sql"), blocks(POSTGRESQL)
    (ours, theirs) = back_up()
    commands = migrate.replace("interaction-reporting serve --workers 2\n", "") + ours + "restored=$dumped\n" + theirs
    copies = ("restored", "dumped")
    named = "postgresql://interaction_reporting:change-me@db.example.com/interaction_reporting"
    with debian_server() as server:
        others = [create.splitlines()[1].replace("DATABASE interaction", f"DATABASE {name}") for name in copies]
        for statement in (*create.splitlines(), *others):
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(statement.encode())
        url = server.replace("postgres@/postgres", "interaction_reporting@/interaction_reporting")
        urls = {name: url.replace("/interaction_reporting?", f"/{name}_reporting?") for name in copies}
        environment = {"IR_DATABASE_URL": url, **urls}
        environment["PATH"] = f"{Path(sys.executable).parent}:{DEBIAN}:{os.environ['PATH']}"
        subprocess.run(
            ["bash", "-euc", commands.replace(named, url)], cwd=directory, env=os.environ | environment, check=True
        )
        counts = []
        for each in (url, *urls.values()):
            with psycopg.connect(each) as connection:
                counts += connection.execute("SELECT count(*) FROM interaction_reporting_contracts").fetchall()
    assert counts[0] == counts[1] == counts[2] > (0,)


def test_a_pipeline_compares_documents_as_readme_says(directory: Path) -> None:
    """The command of the CI snippet, run in a repository, without a database; it writes what the other steps send."""
    (snippet,) = blocks("For reviewers", "yaml")
    document = (ROOT / "openapi" / "documents" / "interaction-reporting-1.1.yaml").read_text()
    (directory / "openapi.yaml").write_text(document)
    git = "git -c user.name=a -c user.email=a@example.com"
    begin = f"git init -q -b main; git add .; {git} commit -qm Begin; git update-ref refs/remotes/origin/main main"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for commands in (begin, "\n".join(re.findall(r"^- run: (.+)$", snippet, re.MULTILINE))):
        subprocess.run(["bash", "-euc", commands], cwd=directory, env=os.environ | {"PATH": path}, check=True)
    assert (directory / "review.md").read_text().startswith("# Contract review: passes")
    sent = re.findall(r"--body-file (\S+)|sarif_file: ([^\s}]+)", snippet)
    assert {name for names in sent for name in names if name} <= {path.name for path in directory.iterdir()}


def test_a_running_service_is_fuzzed_as_readme_says(directory: Path) -> None:
    """Schemathesis takes the configuration and the key; the shortest phase is enough to show that."""
    (command,) = (line for block in blocks("For QA") for line in block.splitlines() if "schemathesis" in line)
    with service_on(directory) as service:
        text = command.replace(URL, service.url).replace(" run ", " run --phases examples ")
        printed = run(service, directory, "bash", "-euc", f"key={service.key}\n{text}")
        assert str(WIDGET) in run(service, directory, "interaction-reporting", "widget", "list", "--json")
    assert "18 passed" in printed


def test_a_running_service_is_fuzzed_by_our_command(directory: Path) -> None:
    """With the files that the named commands print; the shortest phase is enough to show that."""
    (command,) = (line for block in blocks("For QA") for line in block.splitlines() if "--url" in line)
    files = """
        interaction-reporting hub create tester --json > key.json
        interaction-reporting hub issue-client tester --json --scopes "$SCOPES" > client.json
        """
    with service_on(directory) as service:
        text = command.replace("https://host", service.url) + " --phase examples"
        run(service, directory, "bash", "-euc", files + text, SCOPES=" ".join(sorted(SCOPES)))
    assert {path.name for path in (directory / "fuzz-report").iterdir()} == {NEWEST, MAJOR}


def test_speed_is_measured_as_readme_says(directory: Path) -> None:
    """Each command of the section prints a table; the second measures the running service."""
    (directory / ".data").symlink_to("data")
    with service_on(directory) as service:
        printed = pasted(service, directory, *blocks("How fast"))
    assert printed.count("connections  req/s") == 2
    assert "service/peer in req/s at 64 connections" in printed
    assert "copied_rows_per_second" in printed


def test_the_table_of_settings_is_that_of_the_code() -> None:
    """Variable, default and purpose of each setting."""
    rows = re.findall(r"^\| `(IR_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    assert rows == [(name, f"`{default}`" if default else "unset", purpose) for name, default, purpose in table()]


@pytest.mark.parametrize("room", ["openapi", "handlers", "scripts"])
def test_the_arrows_of_a_room_are_those_of_its_imports(room: str) -> None:
    """Its README has a row for each sub-room; the rows stand in an order in which arrows point down."""
    rows = arrows(ROOT / room / "README.md")
    names = {name: name.removeprefix(f"{room}.").replace(".", "/") for name in ARROWS if name.partition(".")[0] == room}
    imports = {
        short: {
            names[room + arrow if arrow.startswith(".") else arrow]
            for arrow in ARROWS[name].split()
            if arrow.startswith(".") or arrow == room
        }
        for name, short in names.items()
    }
    assert rows == imports
    order = list(rows)
    assert all(order.index(name) < order.index(below) for name in rows for below in rows[name])


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_links_resolve(link: Link) -> None:
    """Each link is a file of the project, and its anchor a heading of that file."""
    target, _, anchor = link.target.partition("#")
    path = (link.path.parent / target).resolve() if target else link.path
    assert path.exists()
    assert not anchor or anchor in anchors(path)


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_settings_that_readmes_name_exist(path: Path) -> None:
    """Each setting that a README names is one that the service reads."""
    assert set(re.findall(r"\bIR_[A-Z_]+\b", path.read_text())) <= {name for name, _, _ in table()}


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_readmes_name_exist(path: Path) -> None:
    """Also in commands that this module does not run."""
    named = re.findall(r"(?<![\w/.])(?:openapi|handlers|db|scripts|tests)/[\w./-]+\.\w+", path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w.]+/[\w./]+)`", CONTRIBUTING))))
def test_paths_in_contributing_exist(path: str) -> None:
    """Each file and folder that CONTRIBUTING names."""
    assert (ROOT / path).exists()
