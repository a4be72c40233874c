"""The commands as an operator runs them: their output, their effect on the database, and their exit status."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from psycopg import sql

from db import event_types, hubs, keys, widgets
from db.engine import Database
from openapi.contract import DOCUMENTS, Contract
from scripts.commands.arguments import name_of
from tests.postgresql import fresh_database, statement

COMMAND = Path(sys.executable).with_name("interaction-reporting")
CREATE = sql.Literal("reportInteractionEvent")
DOCUMENT = DOCUMENTS / "interaction-reporting-1.0.yaml"
NEWEST = DOCUMENTS / "interaction-reporting-1.1.yaml"
MAJOR = DOCUMENTS / "interaction-reporting-2.0.yaml"
WIDGET = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
KEEP_THE_KEY = "Save the key now: only its digest is stored, so it cannot be shown again.\n"

Done = subprocess.CompletedProcess[str]
Run = Callable[..., list[Done]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs the command once for each line of arguments, all at once, with only these settings."""
    with tempfile.TemporaryDirectory(prefix="ir-commands-") as directory, ThreadPoolExecutor() as threads:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = f"{directory}/compiled"  # or every process might compile every library
        environment["COLUMNS"] = "200"

        def start(line: str, settings: dict[str, str]) -> Done:
            command = [str(COMMAND), *shlex.split(line)]
            return subprocess.run(
                command,
                env=environment | settings,
                cwd=directory,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )

        yield lambda *lines, **settings: list(threads.map(lambda line: start(line, settings), lines))


def result(done: Done) -> Any:
    """The JSON output of a command that succeeded without a note."""
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def names_of_hubs(database: Database, *some_keys: str) -> list[str | None]:
    """The names of the hubs that own the keys."""
    with database.begin() as connection:
        return [hub.name if hub else None for hub in (hubs.of_key(connection, key) for key in some_keys)]


def test_only_hub_create_shows_a_key(run: Run, database: Database, database_url: str) -> None:
    """`hub create` prints a key that works; no list shows it again, nor its digest."""
    (created,) = run("hub create 'alpha and beta' --json", IR_DATABASE_URL=database_url)
    hub = json.loads(created.stdout)
    key = hub.pop("api_key")
    assert (created.returncode, created.stderr) == (0, KEEP_THE_KEY)
    assert names_of_hubs(database, key) == ["alpha and beta"]
    as_json, as_table = run("hub list --json", "hub list", IR_DATABASE_URL=database_url)
    assert result(as_json) == [hub]
    assert "alpha and beta" in as_table.stdout
    for hidden in (key.removeprefix(keys.PREFIX), keys.digest(key)):
        assert hidden not in as_json.stdout + as_table.stdout + as_table.stderr


def test_commands_rotate_and_disable_keys(run: Run, database: Database, database_url: str) -> None:
    """`hub rotate-key` prints a key that replaces the old one, `hub disable` disables one; a third hub's key stays."""
    with database.begin() as connection:
        old = [hubs.create(connection, name)[1] for name in ("alpha", "beta", "gamma")]
    rotated, disabled = run("hub rotate-key alpha", "hub disable beta --json", IR_DATABASE_URL=database_url)
    assert (rotated.returncode, rotated.stderr) == (0, KEEP_THE_KEY)
    (new,) = (line.split()[1] for line in rotated.stdout.splitlines() if line.split()[0] == "api_key")
    assert result(disabled)["disabled_at"]
    assert "irk_" not in disabled.stdout
    assert names_of_hubs(database, new, *old) == ["alpha", None, None, "gamma"]


@pytest.mark.parametrize("name", ["", " ", "a ", "a\nb", "\x1b[31mred", "x" * 201, "\udcff"])
def test_a_name_that_a_list_cannot_show_is_refused(name: str) -> None:
    """A name must fit a list, on a line of its own."""
    with pytest.raises(typer.BadParameter):
        name_of(name)


def test_a_disabled_hub_and_a_deprecated_event_type_can_be_restored(
    run: Run, database: Database, database_url: str
) -> None:
    """`hub enable` undoes `hub disable`; `event-type register` keeps a description; `widget retire` retires."""
    with database.begin() as connection:
        _, key = hubs.create(connection, "alpha")
        hubs.disable(connection, "alpha")
        event_types.deprecate(connection, "clicked")
        widget = widgets.register(connection, "Button")
    enabled, registered, retired = run(
        "hub enable alpha --json",
        "event-type register clicked --json",
        f"widget retire {widget.id} --json",
        IR_DATABASE_URL=database_url,
    )
    assert result(enabled)["disabled_at"] is None
    assert names_of_hubs(database, key) == ["alpha"]
    assert (result(registered)["status"], result(registered)["description"]) == ("active", "The widget was clicked.")
    assert result(retired)["status"] == "retired"


@pytest.mark.usefixtures("version_1_alone")
def test_status_reports_a_row_that_cannot_be_served(run: Run, database_url: str) -> None:
    """`contract status` exits 1 with the reason that `serve` would report, and `list` shows that the row was edited."""
    statement(
        database_url,
        sql.SQL(
            "UPDATE interaction_reporting_contracts SET document = replace(document, 'reportInteractionEvent', 'xyz')"
        ),
    )
    status, listed = run("contract status --json", "contract list --json", IR_DATABASE_URL=database_url)
    assert status.returncode == 1
    (fault,) = json.loads(status.stdout)["faults"]
    assert "operationId 'xyz' names no operation of this release; nothing is served in its place" in fault
    assert result(listed)[0]["edited"] is True


def test_commands_register_and_list_widgets(run: Run, database: Database, database_url: str) -> None:
    """`widget register` accepts an id or creates one, and `widget list` shows both."""
    with_id, without_id = run(
        f"widget register Button --id {WIDGET} --json", "widget register Slider --json", IR_DATABASE_URL=database_url
    )
    assert (result(with_id)["id"], result(with_id)["name"], result(with_id)["status"]) == (WIDGET, "Button", "active")
    with database.begin() as connection:
        rows = {(str(widget.id), widget.name) for widget in widgets.list_all(connection)}
    assert rows == {(WIDGET, "Button"), (result(without_id)["id"], "Slider")}
    (listed,) = run("widget list --json", IR_DATABASE_URL=database_url)
    assert {(widget["id"], widget["name"]) for widget in result(listed)} == rows


def test_commands_register_deprecate_and_list_event_types(run: Run, database: Database, database_url: str) -> None:
    """`event-type register` and `deprecate` change the registry, and `list` shows it."""
    registered, deprecated = run(
        "event-type register pipeline_started --description 'A pipeline started.' --json",
        "event-type deprecate clicked --json",
        IR_DATABASE_URL=database_url,
    )
    with database.begin() as connection:
        rows = {entry.name: (entry.description, entry.status) for entry in event_types.list_all(connection)}
    assert rows["pipeline_started"] == ("A pipeline started.", "active")
    assert rows["clicked"] == ("The widget was clicked.", "deprecated")
    as_json, as_table = run("event-type list --json", "event-type list", IR_DATABASE_URL=database_url)
    listed = result(as_json)
    assert {entry["name"]: (entry["description"], entry["status"]) for entry in listed} == rows
    assert result(registered) in listed
    assert result(deprecated) in listed
    assert [line.split()[0] for line in as_table.stdout.splitlines()[1:]] == sorted(rows)


def test_commands_list_and_show_contracts(run: Run, database_url: str) -> None:
    """`contract list` lists them, `show` prints one as it was published, `status` shows which ones are served."""
    listed, as_table, as_published, as_json, status = run(
        "contract list --json",
        "contract list",
        "contract show 1.0",
        "contract show 1.0 --json",
        "contract status --json",
        IR_DATABASE_URL=database_url,
    )
    contract, newest, major = map(Contract.of_file, (DOCUMENT, NEWEST, MAJOR))
    assert [(row["contract_version"], row["status"], row["digest"]) for row in result(listed)] == [
        ("1.0", "superseded", contract.digest),
        ("1.1", "active", newest.digest),
        ("2.0", "active", major.digest),
    ]
    assert all("document" not in row for row in result(listed))
    for digest in (contract.digest, newest.digest, major.digest):
        assert (digest[:12] in as_table.stdout, digest[:13] in as_table.stdout) == (True, False)
    assert as_published.stdout == DOCUMENT.read_text()
    assert result(as_json) == contract.document
    served = [
        {"major": 1, "path": "/api/v1", "contract_version": "1.1", "digest": newest.digest},
        {"major": 2, "path": "/api/v2", "contract_version": "2.0", "digest": major.digest},
    ]
    instants = {"deprecated_at": None, "sunset_at": None}
    assert result(status) == {"serves": [row | instants for row in served], "faults": [], "differences": []}


def test_status_reports_an_edited_row(run: Run, database_url: str) -> None:
    """The row governs: `contract show` prints it, and `contract status` reports that it differs from the file."""
    change = (
        "UPDATE interaction_reporting_contracts SET document = replace(document, 'maxLength: 200', 'maxLength: 99') "
        "WHERE contract_version = '1.1'"
    )
    statement(database_url, sql.SQL(change))
    edited = Contract.read(NEWEST.read_text().replace("maxLength: 200", "maxLength: 99"))
    shown, status = run("contract show 1.1", "contract status --json", IR_DATABASE_URL=database_url)
    assert shown.stdout == edited.text
    served, _ = result(status)["serves"]
    assert (served["contract_version"], served["digest"]) == ("1.1", edited.digest)
    (difference,) = result(status)["differences"]
    assert "contract 1.1: the row" in difference
    assert edited.digest[:12] in difference
    assert Contract.of_file(NEWEST).digest[:12] in difference


def test_lint_checks_documents(run: Run, tmp_path: Path) -> None:
    """`contract lint` accepts the documents of this release, and reports the fault of another and its place."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(DOCUMENT.read_text().replace("operationId: report", "operationId: os."))
    sound, several, unsound = run(
        f"contract lint {DOCUMENT}",
        f"contract lint {DOCUMENT} {DOCUMENT}",
        f"contract lint {DOCUMENT} {broken} --json",
    )
    assert (sound.returncode, sound.stdout, sound.stderr) == (0, "1 document keeps every rule.\n", "")
    assert (several.returncode, several.stdout) == (0, "2 documents keep every rule.\n")
    assert unsound.stderr == "1 finding\n"
    assert unsound.returncode == 1
    (finding,) = json.loads(unsound.stdout)
    assert (finding["file"], finding["rule"]) == (str(broken), "operations")
    assert finding["pointer"].endswith("/post/operationId")


def test_two_migrations_at_once_migrate_an_empty_database(run: Run, embedded_url: str) -> None:
    """One `migrate` creates the tables, and the other waits and changes nothing; the contracts are activated once."""
    with fresh_database(embedded_url, "migrated_by_command") as url:
        both = run("migrate --json", "migrate --json", IR_DATABASE_URL=url)
        assert [done.returncode for done in both] == [0, 0]
        waits = [line for done in both for line in done.stderr.splitlines()]
        assert all("another process migrates or restores the database" in line for line in waits)
        summaries = [json.loads(done.stdout) for done in both]
        with closing(Database(url)) as database, database.begin() as connection:
            assert len(event_types.list_all(connection)) == 14
    before = sorted((summary["revision_before"] is not None, summary["revision_before"]) for summary in summaries)
    assert before == [(False, None), (True, summaries[0]["revision"])]
    assert sorted(summary["contracts_activated"] for summary in summaries) == [[], ["1.1", "2.0"]]
    assert sorted(len(summary["partitions_made"]) for summary in summaries) == [0, 10]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("hub create alpha", "a hub named 'alpha' already exists", id="a name is taken"),
        pytest.param("hub disable absent", "there is no hub named 'absent'", id="no such hub"),
        pytest.param(
            "event-type register clicked --json",
            "the event type 'clicked' is already registered and active",
            id="an event type is taken",
        ),
        pytest.param("contract show 9.9", "there is no contract '9.9' in the database", id="no such contract"),
        pytest.param("contract activate 9.9", "there is no contract '9.9' in the database", id="nothing to activate"),
        pytest.param(
            f"contract lint {os.devnull}",
            "the document is not an OpenAPI object with an info object",
            id="no document",
        ),
    ],
)
def test_a_refusal_is_one_clear_line(run: Run, database: Database, database_url: str, line: str, words: str) -> None:
    """Exit status 1, nothing on standard output, and the reason on standard error."""
    with database.begin() as connection:
        hubs.create(connection, "alpha")
    (done,) = run(line, IR_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {words}\n")


def test_no_command_changes_a_database_of_a_later_release(run: Run, database_url: str) -> None:
    """The command exits 1, and the error names the revision."""
    statement(database_url, sql.SQL("UPDATE alembic_version SET version_num = 'from_later'"))
    (done,) = run("hub create alpha", IR_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the database is at revision 'from_later', which this release does not know: it is of a later release\n"
    )


@pytest.mark.parametrize(
    ("setting", "value", "status", "words"),
    [
        pytest.param(
            "IR_PORT", "http", 2, "IR_PORT is 'http'; it must be a whole number from 0 to 65535", id="no number"
        ),
        pytest.param(
            "IR_DATABASE_URL",
            "mysql://me:hunter2@host/it",
            1,
            "IR_DATABASE_URL cannot be used: the database URL begins with mysql://; only postgresql:// is supported",
            id="another database",
        ),
        pytest.param(
            "IR_DATA_DIR",
            f"{os.devnull}/data",
            1,
            f"there is no database in {os.devnull}/data: set IR_DATA_DIR to another directory, IR_DATABASE_URL to a "
            "server, or create a database here with 'interaction-reporting migrate' or 'serve'",
            id="no place for a directory",
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line(run: Run, setting: str, value: str, status: int, words: str) -> None:
    """Nothing on standard output, and the fault on standard error, without a password."""
    (done,) = run("hub list", **{setting: value})
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"error: {words}\n")


def test_misuse_exits_with_2_and_shows_the_right_use(run: Run) -> None:
    """Without a command the output lists the commands; after a wrong value the error describes a right one."""
    no_command, too_long = run("", f"event-type register {'x' * 201}")
    assert (no_command.returncode, too_long.returncode) == (2, 2)
    assert all(name in no_command.stdout for name in ("serve", "migrate", "hub", "widget", "event-type", "contract"))
    assert "it must have 1 to 200 printable characters" in too_long.stderr
    assert "Traceback" not in no_command.stderr + too_long.stderr


def test_the_data_directory_keeps_the_embedded_database(run: Run) -> None:
    """Without a URL a command starts PostgreSQL and stops it again, and the next command sees its rows."""
    with tempfile.TemporaryDirectory(prefix="ir-data-") as directory:
        (refused,) = run("hub create alpha --json", IR_DATA_DIR=f"{directory}/data")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"there is no database in {directory}/data: " in refused.stderr
        assert not Path(directory, "data").exists()
        run("migrate", IR_DATA_DIR=f"{directory}/data")
        (created,) = run("hub create alpha --json", IR_DATA_DIR=f"{directory}/data")
        assert (created.returncode, created.stderr) == (0, KEEP_THE_KEY)
        (listed,) = run("hub list --json", IR_DATA_DIR=f"{directory}/data")
        assert [hub["id"] for hub in result(listed)] == [json.loads(created.stdout)["id"]]
        assert not Path(directory, "data", "postgresql", "postmaster.pid").exists(), "the server still runs"


def test_hub_limit_sets_and_unsets_a_rate(run: Run, database_url: str) -> None:
    """It refuses a wrong rate and an unknown hub."""
    run("hub create alpha", IR_DATABASE_URL=database_url)
    (limited,) = run("hub limit alpha --rate 50 --json", IR_DATABASE_URL=database_url)
    assert result(limited)["rate_limit"] == 50
    (unlimited,) = run("hub limit alpha --usual --json", IR_DATABASE_URL=database_url)
    assert result(unlimited)["rate_limit"] is None
    refused = ("hub limit alpha --rate 0", "hub limit alpha", "hub limit alpha --rate 1 --usual")
    *misused, unknown = run(*refused, "hub limit beta --rate 1", IR_DATABASE_URL=database_url)
    assert ({done.returncode for done in misused}, unknown.returncode) == ({2}, 1)
    assert "there is no hub named 'beta'" in unknown.stderr


def test_a_pending_event_type_is_approved_once(run: Run, database_url: str) -> None:
    """`event-type approve` activates a pending one, applies a proposal, and refuses an event type without either."""
    statement(
        database_url,
        sql.SQL("INSERT INTO event_type_registry (name, status) VALUES ('rated', 'pending')"),
        sql.SQL(
            'UPDATE event_type_registry SET proposal = \'{"description": "New.", "version": 2, '
            '"metadata_schema": {"type": "object"}}\' WHERE name = \'clicked\''
        ),
    )
    rated, clicked = run(
        "event-type approve rated --json", "event-type approve clicked --json", IR_DATABASE_URL=database_url
    )
    assert (result(rated)["status"], result(rated)["version"]) == ("active", 1)
    assert (result(clicked)["description"], result(clicked)["version"], result(clicked)["proposal"]) == (
        "New.",
        2,
        None,
    )
    again, unknown = run("event-type approve rated", "event-type approve nothing", IR_DATABASE_URL=database_url)
    assert (again.returncode, unknown.returncode) == (1, 1)
    assert "the event type 'rated' has nothing that waits for approval" in again.stderr
    assert "'nothing' is not registered" in unknown.stderr
