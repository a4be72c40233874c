"""The client for Python against a running service: every operation of each version, and the errors of each kind."""

import asyncio
import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from openapi.generate.client_operations import client_model
from openapi.generate.languages import python_client
from tests.examples import EVENT, MAJOR, NEWEST, WIDGET
from tests.service import CONTRACTS, Service
from tests.tokens import SCOPES, client_of

ANNOTATION = {"widget_id": WIDGET, "category": "question", "body": "Why?"}


@pytest.fixture(scope="module", params=[NEWEST, MAJOR])
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The client of a version, as a module."""
    name = f"client_of_{request.param.replace('.', '_')}"
    directory = tmp_path_factory.mktemp("package")
    (directory / name).mkdir()
    for file, text in python_client.emit(
        client_model(CONTRACTS[request.param]), name, "openapi.clients.python"
    ).items():
        (directory / name / file).write_text(text)
    sys.path.insert(0, str(directory))
    yield importlib.import_module(name)
    sys.path.remove(str(directory))


@pytest.fixture
def client(package: Any, newest: Service) -> Iterator[Any]:
    """A client of the version, for a hub of its own in version 2."""
    if package.VERSION == NEWEST:
        credentials = {"api_key": newest.key}
    else:
        oauth = client_of(newest)
        credentials = {"client_id": oauth.client_id, "client_secret": oauth.secret}
    with package.Client(newest.url, patience=0.0, **credentials) as client:
        yield client


def test_every_operation_is_called(package: Any, client: Any, tmp_path: Path) -> None:
    """And answers as its type says."""
    called = []
    original = client.caller.exchange

    def exchange(call: Any) -> Any:
        called.append(call.operation.name)
        return original(call)

    client.caller.exchange = exchange
    events, notes = client.interaction_events, client.annotations
    stored = events.report({**EVENT, "metadata": {"a": [None, 1.5]}})
    assert events.get(stored["id"])["metadata"] == {"a": [None, 1.5]}
    assert events.report(EVENT, prefer="dry-run")["event_type"] == "clicked"
    assert [result["status"] for result in events.report_batch([EVENT, EVENT])["results"]] == ["created", "created"]
    results = list(events.report_batch_each({**EVENT, "client_event_id": str(uuid4())} for _ in range(1500)))
    assert [result["index"] for result in results] == list(range(1500))
    assert {result["status"] for result in results} == {"created"}
    assert len(events.list(limit=5)["items"]) == 5
    listed = [event["id"] for event in events.list_all(limit=1000)]
    assert listed == [event["id"] for event in events.export(format="ndjson")]
    assert stored["id"] in listed
    with events.export(format="csv", after=listed[-3]) as stream:
        assert stream.save(tmp_path / "events.csv") == (tmp_path / "events.csv").stat().st_size > 0
    remark = notes.report({**ANNOTATION, "event_id": stored["id"]})
    assert notes.get(remark["id"])["body"] == "Why?"
    assert notes.report_batch([ANNOTATION])["totals"]["created"] == 1
    assert remark["id"] in [note["id"] for note in notes.list_all(category="question")]
    assert notes.list(event_id=stored["id"])["items"][0]["id"] == remark["id"]
    assert len(list(notes.export(format="ndjson"))) >= 2
    assert "clicked" in [event_type["name"] for event_type in client.event_types.list_all(limit=3)]
    assert WIDGET in [widget["id"] for widget in client.widgets.list_all()]
    name = f"hub.{uuid4()}"
    manifest = {"event_types": [{"name": name, "description": "A type."}], "widgets": []}
    assert client.hub_capability_manifest.put(manifest)["event_types"][0]["name"] == name
    assert client.hub_capability_manifest.get()["event_types"][0]["name"] == name
    with pytest.raises(package.errors.UnprocessableContent):
        events.report({**EVENT, "event_type": f"later.{name}"})
    rejected = client.rejected_submissions.list()["items"][-1]
    assert client.rejected_submissions.get(rejected["id"])["code"] == rejected["code"]
    with pytest.raises(package.errors.UnprocessableContent) as replayed:
        client.rejected_submissions.replay({"ids": [rejected["id"]]})
    assert replayed.value.results
    assert client.usage.get()["items"]
    opened = {"exportInteractionEvents", "exportAnnotations"}
    operations = {operation.operation_id for operation in CONTRACTS[package.VERSION].operations}
    assert set(called) | opened == operations


def test_what_is_wrong_is_an_error_of_its_kind(package: Any, client: Any, newest: Service) -> None:
    """With what the service says of it."""
    errors, events = package.errors, client.interaction_events
    with pytest.raises(errors.UnprocessableContent, match="'click' not registered") as refused:
        events.report({**EVENT, "event_type": "click"})
    assert (refused.value.status, refused.value.results) == (422, None)
    assert "Did you mean 'clicked'?" in refused.value.help
    assert refused.value.request_id
    key = str(uuid4())
    events.report(EVENT, idempotency_key=key)
    with pytest.raises(errors.Conflict):
        events.report({**EVENT, "event_type": "viewed"}, idempotency_key=key)
    with pytest.raises(errors.NotFound):
        events.get(str(uuid4()))
    with pytest.raises(errors.UnprocessableContent):
        events.list(limit=0)
    with pytest.raises(errors.ContentTooLarge):
        events.report({**EVENT, "metadata": {"text": "x" * 65_536}})
    with pytest.raises(errors.InvalidItem, match="/metadata/n"):
        events.report({**EVENT, "metadata": {"n": float("inf")}})
    with pytest.raises(errors.InvalidItem, match="Prefer"):
        events.report(EVENT, prefer="a\r\nb: c")
    assert client.stale() == ""
    wrong = package.Client(newest.url, **{"api_key": "x"} if package.VERSION == NEWEST else {"token": "x"})
    with pytest.raises(errors.Unauthorized):
        wrong.usage.get()
    for status, answer in CONTRACTS[package.VERSION].document["components"]["responses"].items():
        assert answer, status  # each status that the document names has a class
    statuses = {
        status
        for operation in CONTRACTS[package.VERSION].operations
        for status in CONTRACTS[package.VERSION].at(operation.pointer)["responses"]
    }
    assert {int(status) for status in statuses if status >= "400"} - {500} <= set(errors.KINDS)


def test_the_same_calls_work_on_an_event_loop(package: Any, client: Any, tmp_path: Path) -> None:
    """On several loops, one after the other, and from several threads at once."""

    async def use() -> int:
        asynchronous = package.AsyncClient(client)
        stored = await asyncio.gather(*[asynchronous.interaction_events.report(EVENT) for _ in range(5)])
        async with await asynchronous.interaction_events.export(format="ndjson") as stream:
            exported = {event["id"] async for event in stream}
        async with await asynchronous.interaction_events.export(format="csv") as stream:
            path = tmp_path / str(uuid4())
            assert await stream.save(path) == path.stat().st_size
        listed = {event["id"] async for event in asynchronous.interaction_events.list_all()}
        assert {event["id"] for event in stored} <= exported & listed
        return len(exported)

    first = asyncio.run(use())
    threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asyncio.run(use()) == first + 15


def test_follow_returns_what_comes_later(client: Any) -> None:
    """Its cursor begins with the page of the item that was returned last."""
    client.interaction_events.report(EVENT)
    followed = client.interaction_events.follow(limit=1000, poll=0.05)
    seen = [next(followed)["id"] for _ in range(len(list(client.interaction_events.list_all())))]
    stored = client.interaction_events.report(EVENT)
    assert next(followed)["id"] == stored["id"]
    assert next(client.interaction_events.follow(cursor=followed.cursor))["id"] == stored["id"]
    assert stored["id"] not in seen


def test_an_outbox_keeps_events_and_annotations(package: Any, client: Any, tmp_path: Path) -> None:
    """And says what the service refused."""
    refused: list[Any] = []
    with package.Outbox(client, tmp_path / "outbox.db", on_refused=refused.append) as outbox:
        keys = outbox.add_all([EVENT, {**EVENT, "event_type": "click"}])
        note = outbox.add(ANNOTATION, "annotations")
        assert asyncio.run(outbox.aadd(EVENT)) not in keys
        assert outbox.flush(20), outbox.counts()
        counts = outbox.counts()
    assert (counts.added, counts.sent, counts.refused, counts.pending) == (4, 3, 1, 0)
    assert [(each.key, each.reason.code) for each in refused] == [(keys[1], "event_type_not_registered")]
    stored = [annotation.get("client_annotation_id") for annotation in client.annotations.list_all()]
    assert stored.count(note) == 1


@pytest.mark.parametrize("kind", ["a function", "signed", "DPoP"])
def test_credentials_may_be_of_several_kinds(package: Any, newest: Service, kind: str) -> None:
    """A function that is asked anew after a 401; in version 2 an assertion, or proofs for tokens bound to a key."""
    if package.VERSION == NEWEST or kind == "a function":
        right = newest.key if package.VERSION == NEWEST else client_of(newest).token()
        texts = iter(["wrong", *[right] * 10])
        name = "api_key" if package.VERSION == NEWEST else "token"
        client = package.Client(newest.url, **{name: lambda: next(texts)})
    elif kind == "DPoP":
        oauth = client_of(newest, dpop_bound=True)
        client = package.Client(newest.url, client_id=oauth.client_id, client_secret=oauth.secret, dpop=True)
    else:
        key = ECKey.generate_key("P-256")
        oauth = client_of(newest, jwks={"keys": [{**key.as_dict(private=False), "kid": "1"}]})
        private = {**key.as_dict(private=True), "kid": "1"}
        client = package.Client(newest.url, client_id=oauth.client_id, private_key=private, scopes=sorted(SCOPES))
    assert client.interaction_events.report(EVENT)["id"]
    assert list(client.interaction_events.list_all())
