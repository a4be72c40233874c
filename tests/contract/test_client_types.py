"""The client for Python, judged by the type checkers that its users run."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from openapi.contract import Document
from openapi.generate.client_operations import client_model
from openapi.generate.languages.packages import python_wheel
from tests.contract.test_generated_types import mypy
from tests.examples import MAJOR, NEWEST
from tests.node_programs import Programs
from tests.openapi.generate import hostile
from tests.readmes import blocks
from tests.service import CONTRACTS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("generators")]

CREDENTIALS = {"1.0": 'api_key="k"', NEWEST: 'api_key=lambda: "k"', MAJOR: 'client_id="c", client_secret="s"'}
HEAD = """\
from interaction_reporting import AsyncClient, Client, Outbox, errors, types
from interaction_reporting.testing import FakeHub

client = Client("https://reports.example", {credentials})
event: types.InteractionEvent = {{"widget_id": "w", "event_type": "clicked", "occurred_at": "2026-03-31T12:00:00Z"}}
note: types.Annotation = {{"widget_id": "w", "category": "question", "body": "Why?"}}
"""
RIGHT = """\
stored: types.StoredInteractionEvent = client.interaction_events.report(event, idempotency_key="k", prefer="dry-run")
print(stored["id"], client.interaction_events.report_batch([event])["totals"]["created"])
for result in client.interaction_events.report_batch_each(iter([event])):
    print(result["index"], result["status"] == "created", result.get("retry"))
page: types.InteractionEventPage = client.interaction_events.list(limit=5, event_type="clicked")
followed = client.interaction_events.follow(cursor=page["next_cursor"], poll=1.0)
for record in followed:
    print(record["received_at"], record.get("actor_id"), followed.cursor)
for item in client.interaction_events.list_all():
    print(item["contract_version"])
with client.interaction_events.export(format="ndjson", after="id") as stream:
    print([line["id"] for line in stream], stream.save("file"))
print(client.interaction_events.get("id").get("metadata"))
print(client.annotations.report(note)["category"], client.annotations.report_batch([note])["results"])
print([result["status"] for result in client.annotations.report_batch_each([note])])
print(client.annotations.list(category="question")["items"], list(client.annotations.list_all()))
print(client.annotations.follow().cursor, list(client.annotations.export(format="csv").chunks()))
print(client.annotations.get("id")["body"])
print(client.event_types.list()["items"][0]["registered_by"], list(client.event_types.list_all(limit=1)))
print(client.widgets.list(cursor="c")["has_more"], client.widgets.follow())
print(client.hub_capability_manifest.get(revision=1)["revision"])
client.hub_capability_manifest.put({"event_types": [{"name": "a.b", "description": "B."}], "widgets": []})
print(client.rejected_submissions.list(kind="event")["items"][0]["code"], client.rejected_submissions.follow())
print(client.rejected_submissions.get("id")["content_base64"])
print(client.rejected_submissions.replay({"ids": ["id"]})["results"][0]["rejection_id"])
print(client.usage.get(since="2026-03-31T12:00:00Z")["items"][0]["reasons"][0]["count"])
try:
    print(client.stale())
except errors.TooManyRequests as error:
    print(error.retry_after, error.code, error.help, error.pointer, error.request_id)
with Outbox(client, "outbox.db", power_safe=True, on_refused=lambda refused: print(refused.reason.error)) as outbox:
    key: str = outbox.add(event)
    keys: list[str] = outbox.add_all([note], "annotations")
    print(outbox.add(note, "annotations"), outbox.flush(timeout=5), outbox.counts().pending, key, keys)
    print([refused.item for refused in outbox.refused()], outbox.replay(keys), outbox.erase(lambda item: True))


async def use() -> None:
    async with AsyncClient(client) as asynchronous:
        print((await asynchronous.interaction_events.report(event))["id"])
        async for item in asynchronous.interaction_events.list_all():
            print(item["id"])
        async with await asynchronous.interaction_events.export(format="ndjson") as stream:
            async for line in stream:
                print(line["id"])
        print([result async for result in asynchronous.annotations.report_batch_each([note])])
        print(await outbox.aadd(event), await outbox.aflush(), (await asynchronous.usage.get())["items"])
"""
WRONG = [
    "client.interaction_events.report()",
    "client.interaction_events.report({'widget_id': 'w'})",
    "client.interaction_events.report({**event, 'event_typ': 'clicked'})",
    "client.interaction_events.report(note)",
    "client.interaction_events.report(event, idempotency_key=1)",
    "client.interaction_events.report(event, 'dry-run')",
    "client.interaction_events.report_batch(event)",
    "client.interaction_events.list(limit='5')",
    "client.interaction_events.list(colour='red')",
    "client.interaction_events.export()",
    "client.interaction_events.export(format='xml')",
    "client.interaction_events.get()",
    "client.interaction_events.get(5)",
    "client.interaction_events.delete('id')",
    "client.annotations.report({'widget_id': 'w', 'category': 'bug', 'body': 'B.'})",
    "client.hub_capability_manifest.put({'event_types': []})",
    "client.usage.get(since=5)",
    "client.widgets.list()['items'][0]['colour']",
    "Outbox(client, 'outbox.db', power_save=True)",
    "Outbox(client, 'outbox.db').add(note)",
    "Outbox(client, 'outbox.db').add(event, 'annotation')",
    "Client('https://reports.example')",
    "len(client.interaction_events.follow())",
    "client.stale().version",
]


def unpacked(document: Document, directory: Path) -> Path:
    """The package of a document."""
    with zipfile.ZipFile(io.BytesIO(python_wheel(client_model(document)).content)) as archive:
        archive.extractall(directory)
    return directory


def accept_by_pyright(directory: Path, node: Programs) -> None:
    """Fail unless pyright accepts all modules in a directory, strictly."""
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["."], "reportUnusedImport": False}
    (directory / "pyrightconfig.json").write_text(json.dumps(settings))
    node.run_tool("pyright", "--project", directory)


@pytest.mark.parametrize("version", CONTRACTS)
def test_mypy_accepts_the_package(version: str, tmp_path: Path) -> None:
    """Strictly, without a plugin, and with a sample of each operation."""
    unpacked(CONTRACTS[version], tmp_path)
    sample = HEAD.format(credentials=CREDENTIALS[version]) + RIGHT if version != "1.0" else ""
    (tmp_path / "sample.py").write_text(sample)
    completed = mypy(tmp_path, "interaction_reporting", "sample.py")
    assert completed.returncode == 0, completed.stdout


def test_mypy_and_pyright_accept_the_sender_in_the_readme(node: Programs, tmp_path: Path) -> None:
    """Strictly; the key and the id of the widget are what JSON gives, of any type."""
    unpacked(CONTRACTS[NEWEST], tmp_path)
    (tmp_path / "sample.py").write_text(*blocks("A reliable sender", "python"))
    completed = mypy(tmp_path, "sample.py")
    assert completed.returncode == 0, completed.stdout
    accept_by_pyright(tmp_path, node)


def test_mypy_accepts_the_package_of_a_hostile_document(tmp_path: Path) -> None:
    """Whatever its names and texts are."""
    unpacked(Document("", hostile.document()), tmp_path)
    (name,) = [path.name for path in tmp_path.iterdir() if (path / "py.typed").exists()]
    completed = mypy(tmp_path, name)
    assert completed.returncode == 0, completed.stdout


def test_mypy_refuses_each_wrong_use(tmp_path: Path) -> None:
    """One error for each line, and none for another one."""
    unpacked(CONTRACTS[NEWEST], tmp_path)
    head = HEAD.format(credentials=CREDENTIALS[NEWEST])
    (tmp_path / "wrong.py").write_text(head + "\n".join(WRONG) + "\n")
    completed = mypy(tmp_path, "wrong.py")
    lines = {int(line.split(":")[1]) for line in completed.stdout.splitlines() if ": error:" in line}
    first = head.count("\n") + 1
    assert lines == set(range(first, first + len(WRONG))), completed.stdout


@pytest.mark.parametrize("version", [NEWEST, MAJOR])
def test_pyright_accepts_the_package(version: str, node: Programs, tmp_path: Path) -> None:
    """Strictly, with a sample of each operation."""
    unpacked(CONTRACTS[version], tmp_path)
    (tmp_path / "sample.py").write_text(HEAD.format(credentials=CREDENTIALS[version]) + RIGHT)
    accept_by_pyright(tmp_path, node)


def test_pyright_refuses_each_wrong_use(node: Programs, tmp_path: Path) -> None:
    """At its line, and at no other one."""
    unpacked(CONTRACTS[NEWEST], tmp_path)
    head = HEAD.format(credentials=CREDENTIALS[NEWEST])
    (tmp_path / "wrong.py").write_text(head + "\n".join(WRONG) + "\n")
    settings = {"pythonVersion": "3.11", "include": ["wrong.py"], "reportUnusedExpression": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    with pytest.raises(AssertionError) as refused:
        node.run_tool("pyright", "--project", tmp_path)
    found = re.findall(r"wrong\.py:(\d+):\d+ - error", str(refused.value))
    first = head.count("\n") + 1
    assert {int(line) for line in found} == set(range(first, first + len(WRONG)))


def test_code_for_an_older_client_type_checks_with_the_newer_one(tmp_path: Path) -> None:
    """Of each pair of versions in a major."""
    unpacked(CONTRACTS[NEWEST], tmp_path)
    old = unpacked(CONTRACTS["1.0"], tmp_path / "old")
    used = (
        "from interaction_reporting import Client, types\n\n"
        'event: types.InteractionEvent = {"widget_id": "w", "event_type": "e", "occurred_at": "t"}\n'
        'stored = Client("https://reports.example", api_key="k").interaction_events.report(event)\n'
        'print(stored["id"], stored["widget_id"], stored["event_type"], stored["occurred_at"])\n'
    )
    for directory in (old, tmp_path):
        (directory / "code.py").write_text(used)
        completed = mypy(directory, "code.py")
        assert completed.returncode == 0, completed.stdout
