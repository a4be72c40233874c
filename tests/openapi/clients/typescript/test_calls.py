"""Calls: what is sent, what is repeated, and which error each answer is."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from openapi.clients.python.testing import FakeHub
from tests.examples import MAJOR
from tests.openapi.clients.typescript.programs import Programs, programs

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

Answer = tuple[int, dict[str, str], bytes]
CLIENT = "const client = new Client(given.url, { apiKey: 'the-key', ...given.options });\n"
EVENT = {"widget_id": "w", "event_type": "clicked", "occurred_at": "2026-03-31T12:00:00Z"}


def as_json(status: int, body: Any, **headers: str) -> Answer:
    """An answer in JSON."""
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode()


def answer(hub: FakeHub, *answers: Answer) -> list[tuple[str, str, bytes]]:
    """Let `hub` give some answers, one after the other, and the last one for ever; returns what will arrive."""
    received: list[tuple[str, str, bytes]] = []

    def next_answer(method: str, path: str, body: bytes) -> Answer:
        received.append((method, path, body))
        return answers[min(len(received), len(answers)) - 1]

    hub.answer = next_answer
    return received


def test_a_call_has_its_parameters_and_its_key(node: Programs, hub: FakeHub) -> None:
    """In the path, the query and the header fields; those that are absent are left out."""
    answer(hub, as_json(200, {"items": [], "has_more": False}))
    code = "await client.interactionEvents.list({ limit: 5, widgetId: 'a b&c', cursor: undefined });"
    code += "await client.interactionEvents.get('a/../b');"
    node.run(CLIENT + code, url=hub.url + "/prefix/")
    (method, target, fields), (_, second, _) = hub.requests
    assert (method, target) == ("GET", "/prefix/api/v1/interaction-events?limit=5&widget_id=a+b%26c")
    assert second == "/prefix/api/v1/interaction-events/a%2F..%2Fb"
    assert fields["authorization"] == "Bearer the-key"
    assert fields["user-agent"].startswith("interaction-reporting-client/")


def test_what_cannot_be_sent_is_refused_before_anything_is_sent(node: Programs, hub: FakeHub) -> None:
    """With the place of the fault."""
    code = """
    const loop = {}; loop.loop = [loop];
    const bodies = [{ metadata: { a: [NaN] } }, { "x/~": "\\ud800" }, { a: "\\0" }, { a: 1n }, { a: new Map() }, loop];
    for (const body of bodies) show((await caught(client.interactionEvents.report(body))).pointer);
    for (const id of ["..", "."]) show((await caught(client.interactionEvents.get(id))).name);
    show((await caught(client.interactionEvents.list({ widget_id: "x" }))).message);
    show((await caught(client.interactionEvents.report({}, { prefer: "a\\r\\nb: c" }))).pointer);
    show((await caught(new Client(given.url, { apiKey: () => "a\\nb" }).usage.get())).pointer);
    """
    *pointers, first, second, unknown, prefer, key = node.run(CLIENT + code, url=hub.url)
    assert pointers == ["/metadata/a/0", "/x~1~0", "/a", "/a", "/a", ""]
    assert (first, second, prefer, key) == ("InvalidItem", "InvalidItem", "Prefer", "Authorization")
    assert unknown.startswith("listInteractionEvents has no option widget_id: limit, cursor, widgetId")
    assert hub.requests == []


def test_what_is_no_url_of_a_service_is_refused(node: Programs) -> None:
    """Without the password that it may have."""
    code = """
    for (const url of given.urls) {
      try { new Client(url, { apiKey: "k" }); show(""); } catch (error) { show(`${error.name} ${error.message}`); }
    }
    """
    urls = ["ftp://a", "http://a?b", "http://a#b", "http://u:secret@a", "http://:secret@a"]
    for shown in node.run(code, urls=urls):
        assert shown.startswith("TypeError")
        assert "is no URL of a service" in shown
        assert "secret" not in shown


def test_a_post_is_repeated_with_one_idempotency_key(node: Programs, hub: FakeHub) -> None:
    """After an outage: the body is compressed, and the same."""
    hub.fail("html", status=502)
    hub.fail("cut_after")
    received = answer(hub, as_json(201, {"id": "new"}))
    event = {**EVENT, "metadata": {"text": "a" * 2000}}
    (result,) = node.run(CLIENT + "show(await client.interactionEvents.report(given.event));", url=hub.url, event=event)
    assert result == {"id": "new"}
    keys = [fields["idempotency-key"] for _, _, fields in hub.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert {fields["content-encoding"] for _, _, fields in hub.requests} == {"gzip"}
    assert [json.loads(body) for _, _, body in received] == [event, event]


def test_what_may_not_be_repeated_is_not(node: Programs, hub: FakeHub) -> None:
    """A POST without an Idempotency-Key after an outage; and nothing after patience has ended."""
    hub.fail("html", status=502, times=None)
    code = "show(await caught(client.rejectedSubmissions.replay({ ids: [] })));"
    code += "show(await caught(new Client(given.url, { apiKey: 'k', patienceMs: 0 }).usage.get()));"
    errors = node.run(CLIENT + code, url=hub.url)
    assert [(error["name"], error["status"]) for error in errors] == [("Outage", 502)] * 2
    assert len(hub.requests) == 2


ANSWERS: dict[str, tuple[Answer, dict[str, Any]]] = {
    "an error of version 1": (
        as_json(422, {"error": "no such type", "help": "register it", "results": [1]}, **{"X-Request-Id": "r1"}),
        {"name": "UnprocessableContent", "detail": "no such type", "help": "register it", "requestId": "r1"},
    ),
    "problem details": (
        as_json(409, {"type": "https://x/problems/key-reused", "title": "t", "errors": [{"pointer": "/a"}]}),
        {"name": "Conflict", "code": "key-reused", "pointer": "/a"},
    ),
    "a status without a class": (as_json(418, {"error": "tea"}), {"name": "ApiError", "status": 418}),
    "a server error": (as_json(500, {"error": "bug"}), {"name": "ServerError", "status": 500}),
    "a page of a proxy": (
        (403, {"Content-Type": "text/html"}, b"<html>" + b"x" * 600),
        {"name": "UnexpectedAnswer", "status": 403, "text": "<html>" + "x" * 494},
    ),
    "a page with success": ((200, {}, b"<html>"), {"name": "UnexpectedAnswer", "status": 200}),
    "nothing": ((200, {}, b""), {"name": "UnexpectedAnswer", "status": 200, "text": ""}),
    "an array": (as_json(404, []), {"name": "UnexpectedAnswer", "status": 404}),
    "a redirect": ((307, {"Location": "http://127.0.0.1:9/"}, b""), {"name": "UnexpectedAnswer", "status": 307}),
    "a gateway": (
        (504, {"Retry-After": "7"}, b"late"),
        {"name": "Outage", "status": 504, "text": "late", "retryAfter": 7},
    ),
    "a broken coding": ((200, {"Content-Encoding": "gzip"}, b"no gzip"), {"name": "Outage"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_is_an_error_of_the_client(name: str, node: Programs, hub: FakeHub) -> None:
    """With what it says, whether it is of the service or not; nothing is thrown from inside."""
    received = answer(hub, ANSWERS[name][0])
    code = "const error = await caught(client.usage.get()); error.isOurs = true; show(error);"
    (error,) = node.run(CLIENT + code, url=hub.url, options={"patienceMs": 0})
    assert {field: error[field] for field in ANSWERS[name][1]} == ANSWERS[name][1]
    assert len(received) == 1


@pytest.mark.parametrize("kind", ["half", "cut_before", "slow"])
def test_an_answer_that_does_not_arrive_whole_is_an_outage(kind: Any, node: Programs, hub: FakeHub) -> None:
    """Cut off, or later than the timeout, which a byte now and then does not extend."""
    hub.fail(kind, seconds=0.2)
    answer(hub, as_json(200, {"items": []}))
    code = "show(await caught(client.usage.get()));"
    (error,) = node.run(CLIENT + code, url=hub.url, options={"patienceMs": 0, "timeoutMs": 500})
    assert error["name"] == "Outage"


def test_an_answer_in_gzip_and_one_with_more_members_pass(node: Programs, hub: FakeHub) -> None:
    """`stale` returns a newer minor version."""
    body = gzip.compress(json.dumps({"events": 1, "new": {"__proto__": 2}}).encode())
    answer(hub, (200, {"Content-Encoding": "gzip", "Contract-Version": "9.9"}, body))
    code = "show(client.stale()); show(await client.usage.get()); show(client.stale());"
    assert node.run(CLIENT + code, url=hub.url) == ["", {"events": 1, "new": {"__proto__": 2}}, "9.9"]


def test_a_list_is_read_page_by_page_and_continued(node: Programs, hub: FakeHub) -> None:
    """`cursor` begins with the page of the last item; an error in between loses nothing."""
    pages = [
        as_json(200, {"items": [1, 2], "next_cursor": "b", "has_more": True}),
        as_json(500, {"error": "bug"}),
        as_json(200, {"items": [3], "next_cursor": "c", "has_more": False}),
        as_json(200, {"items": [4], "next_cursor": "d", "has_more": False}),
    ]
    answer(hub, *pages)
    code = """
    const items = client.interactionEvents.follow({ cursor: "a", pollMs: 1 });
    const seen = [];
    const read = async () => {
      for await (const item of items) {
        seen.push(item, items.cursor);
        if (item === 4) return;
      }
    };
    while (await caught(read())) seen.push("again");
    show(seen);
    """
    assert node.run(CLIENT + code, url=hub.url) == [[1, "a", 2, "a", "again", 3, "b", 4, "c"]]
    assert [target.rpartition("=")[2] for _, target, _ in hub.requests] == ["a", "b", "b", "c"]


def test_a_stream_gives_values_or_bytes_and_says_if_it_is_cut_off(node: Programs, hub: FakeHub) -> None:
    """A line may be anything; the last one ends."""
    lines = b'{"a": "\xc3\xa9"}\n\n[1]\n'
    ndjson = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    answer(hub, (200, ndjson, lines), (200, ndjson, lines + b'{"b"'), (200, {"Content-Type": "text/csv"}, b"a,b\n"))
    code = """
    const read = async () => {
      const seen = [];
      try {
        for await (const value of await client.interactionEvents.export({ format: "ndjson" })) seen.push(value);
      } catch (error) {
        seen.push(error.name);
      }
      return seen;
    };
    show(await read()); show(await read()); show(await read());
    const stream = await client.interactionEvents.export({ format: "csv" });
    const parts = [];
    for await (const chunk of stream.chunks()) parts.push(Buffer.from(chunk).toString());
    show([stream.mediaType, parts.join("")]);
    """
    values = [{"a": "é"}, [1]]
    shown = node.run(CLIENT + code, url=hub.url)
    assert shown == [values, [*values, "Outage"], ["UnexpectedAnswer"], ["text/csv", "a,b\n"]]


def test_a_batch_of_any_length_has_a_result_for_each_item(node: Programs, hub: FakeHub) -> None:
    """In requests of a thousand; items that may pass are sent again, and the first one that is no item ends it."""
    hub.refuse = lambda item: "bad" if item["n"] == 3 else None
    hub.fail("status", status=429, retry_after="0")
    code = """
    async function* items() {
      for (let n = 0; n < 1500; n++) yield { n, client_event_id: `key-${n}` };
      yield { n: NaN };
    }
    const results = [];
    const error = await caught((async () => {
      for await (const result of client.interactionEvents.reportBatchEach(items())) results.push(result);
    })());
    show([results.length, results[3].error, results.every((result, index) => result.index === index), error.pointer]);
    """
    assert node.run(CLIENT + code, url=hub.url) == [[1500, "bad", True, "/1500/n"]]
    assert len(hub.accepted["interaction_events"]) == 1499
    assert len(hub.requests) == 3


def test_a_function_is_asked_for_the_key_before_each_request(node: Programs, hub: FakeHub) -> None:
    """And once more after a 401, if it then gives another one."""
    denied = as_json(401, {"error": "no"})
    received = answer(hub, denied, as_json(200, {}), denied)
    code = """
    let count = 0;
    const client = new Client(given.url, { apiKey: async () => `key-${++count}` });
    await client.usage.get();
    show(await caught(new Client(given.url, { apiKey: () => "same" }).usage.get()));
    """
    (error,) = node.run(code, url=hub.url)
    assert error["name"] == "Unauthorized"
    assert len(received) == 3
    assert len({fields["authorization"] for _, _, fields in hub.requests}) == 3


def test_tokens_are_fetched_shared_and_replaced(tmp_path: Path, hub: FakeHub) -> None:
    """One for calls at the same time, another one after a 401; a refused client is an error of its own."""
    node = programs(tmp_path, MAJOR)
    state = {"refuse": True}

    def next_answer(_: str, path: str, body: bytes) -> Answer | None:
        if path == "/oauth/token":
            return as_json(401, {"error": "invalid_client"}) if body.endswith(b"refused") else None
        if state.pop("refuse", False):
            return as_json(401, {"type": "https://x/token-expired", "title": "t"})
        return as_json(200, {})

    hub.answer = next_answer
    code = """
    const client = new Client(given.url, { clientId: "a:b", clientSecret: "c d!", scopes: ["usage:read"] });
    await Promise.all([client.usage.get(), client.usage.get()]);
    await client.usage.get();
    const refused = new Client(given.url, { clientId: "a", clientSecret: "b", scopes: ["refused"] });
    show((await caught(refused.usage.get())).name);
    """
    assert node.run(code, url=hub.url) == ["Unauthorized"]
    asked = [fields for _, path, fields in hub.requests if path == "/oauth/token"]
    assert len(asked) == 3
    assert asked[0]["authorization"] == "Basic YSUzQWI6YyUyMGQlMjE="
    used = [fields["authorization"] for _, path, fields in hub.requests if path != "/oauth/token"]
    assert [used.count(token) for token in dict.fromkeys(used)] == [2, 2]


def test_nothing_keeps_the_process_awake(node: Programs, hub: FakeHub) -> None:
    """A program ends after its last call: `run` waits for that."""
    answer(hub, as_json(200, {}))
    code = "await client.usage.get(); show('done');"
    assert node.run(CLIENT + code, url=hub.url, options={"timeoutMs": 1_000_000}) == ["done"]
