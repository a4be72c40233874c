"""The stream of the live tail over a real connection: complete, in order, filtered, and bounded."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from handlers.live import stream, tail
from tests.handlers.live import served
from tests.handlers.live.viewers import STREAM, rows, until, watching
from tests.live_submissions import annotate, reject, report
from tests.service import Service

HUB = UUID(int=7)

_numbers = itertools.count()


@pytest.fixture
def session() -> str:
    """A session of the test's own."""
    return str(uuid4())


def last_position(writer: psycopg.Connection) -> int:
    """The last position that was given out."""
    row = writer.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM positions").fetchone()
    assert row
    return int(row[0])


@contextmanager
def seen_by_another(live: Service, count: int) -> Iterator[None]:
    """Within the block `count` rows are written; after it the worker's tail has read them."""
    with watching(live.url, session=str(uuid4())) as messages:
        until(messages, "current")
        yield
        rows(messages, count)


def test_what_is_submitted_arrives_in_order(live: Service, writer: psycopg.Connection, session: str) -> None:
    """Accepted and rejected ones, with what is known of each; the id is the position."""
    with watching(live.url, session=session) as messages:
        first = until(messages, "current")[-1]
        assert first.id == str(first.data["position"])
        report(writer, HUB, metadata='{"note": "line\\nline"}')
        reject(writer, HUB, raw=b'{"event_type": "\xff"')
        annotate(writer, HUB)
        event, rejection, annotation = rows(messages, 3)
    assert [row.id for row in (event, rejection, annotation)] == [str(int(first.id) + number) for number in (1, 2, 3)]
    assert (event.data["outcome"], event.data["kind"], event.data["event_type"]) == ("accepted", "event", "clicked")
    assert (event.data["hub"], event.data["widget_id"]) == (str(HUB), str(HUB))
    assert '"note": "line\\nline"' in event.data["payload"]
    assert (rejection.data["outcome"], rejection.data["code"]) == ("rejected", "invalid_body")
    cut = '{"event_type": "\N{REPLACEMENT CHARACTER}"'
    assert (rejection.data["error"], rejection.data["payload"]) == ("it is empty", cut)
    assert (annotation.data["kind"], annotation.data["event_type"]) == ("annotation", None)
    assert not annotation.data["is_cut_off"]


def test_the_headers_keep_proxies_from_holding_the_stream(live: Service, session: str) -> None:
    """HEAD has the same ones, and ends."""
    response = httpx.head(f"{live.url}{STREAM}", headers={"X-Session": session})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert (response.headers["cache-control"], response.headers["x-accel-buffering"]) == ("no-store", "no")
    with watching(live.url, session=session) as messages:
        assert next(messages).fields == {"retry": "1000"}


@pytest.mark.parametrize("how", ["header", "query", "both"])
def test_a_viewer_goes_on_where_it_was(live: Service, writer: psycopg.Connection, session: str, how: str) -> None:
    """By Last-Event-ID, or by the query; the header counts, because it is the later one."""
    before = last_position(writer)
    report(writer, HUB, count=5)
    query = {"header": "", "query": f"?after={before + 2}", "both": f"?after={before}"}[how]
    headers = {} if how == "query" else {"Last_Event_ID": str(before + 2)}
    with watching(live.url, query, session, **headers) as messages:
        assert [row.position for row in rows(messages, 3)] == [before + 3, before + 4, before + 5]
        report(writer, HUB)
        assert rows(messages, 1)[0].position == before + 6


def test_a_viewer_that_is_far_behind_is_told_so_and_catches_up(
    live: Service, writer: psycopg.Connection, session: str
) -> None:
    """By pages, and goes on with what is new: each row once."""
    before = last_position(writer)
    with seen_by_another(live, 3 * tail.KEPT_ROWS):
        report(writer, HUB, count=3 * tail.KEPT_ROWS)
    with watching(live.url, f"?after={before}", session) as messages:
        told = until(messages, "behind")[-1]
        assert told.data["behind"] == 3 * tail.KEPT_ROWS
        seen = [row.position for row in until(messages, "current") if row.name == "message"]
        report(writer, HUB)
        seen += [rows(messages, 1)[0].position]
    assert seen == list(range(before + 1, before + 3 * tail.KEPT_ROWS + 2))


def test_filters_leave_rows_out_and_move_on(
    live: Service, writer: psycopg.Connection, session: str, new_hub_id: Callable[[str], UUID]
) -> None:
    """By the name of the hub, the type, not this type, and the outcome."""
    name = f"alpha & beta {next(_numbers)}"
    alpha, before = new_hub_id(name), last_position(writer)
    with seen_by_another(live, 4):
        report(writer, alpha)
        report(writer, alpha, "viewed")
        report(writer, HUB)
        reject(writer, alpha)
    expected = {
        f"hub={name.replace('&', '%26')}": [1, 2, 4],
        "event_type=clicked": [1, 3],
        "not_type=clicked": [2, 4],
        "outcome=accepted": [1, 2, 3],
        "outcome=rejected": [4],
        f"hub={name.replace('&', '%26')}&not_type=viewed&outcome=accepted": [1],
        "hub=nothing": [],
    }
    for query, places in expected.items():
        with watching(live.url, f"?after={before}&{query}", session) as messages:
            *seen, current = until(messages, "current")
        assert [row.position - before for row in seen if row.data and row.name == "message"] == places, query
        assert int(current.id) >= before + 4


@pytest.mark.parametrize("query", ["after=x", "after=-1", f"after={2**63}", "outcome=lost", "hub=a&hub=b", "hub=%ff"])
def test_a_query_that_cannot_be_read_is_refused(live: Service, session: str, query: str) -> None:
    """Before the stream begins."""
    response = httpx.get(f"{live.url}{STREAM}?{query}", headers={"X-Session": session})
    assert response.status_code == 400


def test_a_position_of_another_database_ends_the_stream(live: Service, session: str) -> None:
    """The client learns why, and does not come back with it."""
    with watching(live.url, f"?after={2**62}", session) as messages:
        assert until(messages, "end")[-1].data == {"why": "unknown position"}


def test_a_session_has_few_streams(live: Service, session: str) -> None:
    """Another session has its own; a stream that is closed makes room at once."""
    with ExitStack() as stack:
        sessions = [*[session] * tail.STREAMS_OF_SESSION, f"not {session}"]
        opened = [stack.enter_context(watching(live.url, session=name)) for name in sessions]
        assert [next(messages).fields for messages in opened] == [{"retry": "1000"}] * len(sessions)
        refused = httpx.get(f"{live.url}{STREAM}", headers={"X-Session": session})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "5 live streams" in refused.text
    with watching(live.url, session=session) as messages:
        assert next(messages).fields


def test_a_worker_has_a_limit_on_streams(live: Service, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their sessions are."""
    monkeypatch.setattr(tail, "STREAMS", 2)
    with ExitStack() as stack:
        opened = [stack.enter_context(watching(live.url, session=f"{session} {number}")) for number in range(2)]
        assert [next(messages).fields for messages in opened] == [{"retry": "1000"}] * 2
        assert httpx.get(f"{live.url}{STREAM}", headers={"X-Session": session}).status_code == 429


def test_a_stream_ends_when_its_session_does(live: Service, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time between two questions."""
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.1)
    with watching(live.url, session=session) as messages:
        until(messages, "current")
        served.SIGNED_OUT.add(session)
        assert until(messages, "end")[-1].data == {"why": "not allowed"}
        assert list(messages) == []


def test_a_stream_ends_after_a_while(live: Service, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client opens another one."""
    monkeypatch.setattr(stream, "LONGEST_SECONDS", 0.2)
    with watching(live.url, session=session) as messages:
        assert until(messages, "end")[-1].data == {"why": "longest"}


def test_a_quiet_stream_says_that_it_is_there_and_where(
    live: Service, writer: psycopg.Connection, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that its filters leave out move its position, too."""
    monkeypatch.setattr(stream, "QUIET_SECONDS", 1.0)
    with watching(live.url, "?hub=nothing", session) as messages:
        before = int(until(messages, "current")[-1].id)
        report(writer, HUB, count=3)
        started = time.monotonic()
        quiet = next(message for message in messages if int(message.id) > before)
    last = writer.execute("SELECT last_value FROM positions").fetchone()
    assert last is not None
    assert (quiet.fields, quiet.data, quiet.id) == ({"": "still here"}, None, str(last[0]))
    assert time.monotonic() - started < 5
