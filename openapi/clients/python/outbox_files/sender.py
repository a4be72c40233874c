"""Sends what waits: one request after the other, and what each answer means for each item."""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from openapi.clients.python.batches import Results, all_stored, results_of
from openapi.clients.python.errors import ApiError, ClientError, UnexpectedAnswer
from openapi.clients.python.narrowed import as_object
from openapi.clients.python.operations import Caller
from openapi.clients.python.outbox_files.batch_reader import Batch, BatchReader
from openapi.clients.python.outbox_files.item_queue import Queue
from openapi.clients.python.outbox_files.items import Kind, Reason, Refused, Row, item_of
from openapi.clients.python.outbox_files.turns import Turns
from openapi.clients.python.wire.answers import TRANSIENT, Answer, date_of, failure, is_ours
from openapi.clients.python.wire.pauses import pause

MOST = 500
"""Items in a request."""
_POISON = {400, 413, 415, 422}
"""Statuses that an item may have caused: the request is halved until the item is alone."""
_HELD = 60.0
"""Seconds between requests while the service refuses all of them, such as those with a key that was replaced."""
_LIMIT = re.compile(r";\s*([rtqw])=(\d{1,9})")


IDLE = 5.0
"""Seconds between two looks at what other processes left."""


class Wait(NamedTuple):
    """Seconds until the next step, 0 if more is due; `ends_with_work` is False if no new item is sent before it."""

    seconds: float
    ends_with_work: bool = True


@dataclass(slots=True)
class _Suspect:
    """An item that a firewall may refuse: how often it did, and how many requests had succeeded by then."""

    successes: int
    count: int = 0


@dataclass(slots=True)
class Sender:
    """Sends for one process. `step` raises nothing but OutboxError."""

    queue: Queue
    turns: Turns
    caller: Caller
    kinds: Sequence[Kind]
    on_refused: Callable[[Refused], None]
    log: logging.Logger
    reader: BatchReader = field(init=False)
    most: int = MOST
    _successes: int = 0
    _failures: int = 0
    _suspects: dict[str, _Suspect] = field(default_factory=dict[str, _Suspect])
    _skew: float = 0.0
    _end: float | None = None
    _held_until: float = 0.0

    def __post_init__(self) -> None:
        self.reader = BatchReader(self.queue)

    def step(self, seconds: float | None = None) -> Wait:
        """Send what one request of each kind may have, if it is this process's turn; `seconds` limit all of it."""
        wait = self._step(seconds)
        if wait.seconds:
            self.reader.finish()
        return wait

    def leave(self) -> None:
        """Let another process send."""
        self.reader.finish()
        self.turns.leave()

    def _step(self, seconds: float | None) -> Wait:
        self._end = None if seconds is None else time.monotonic() + seconds
        if idle := self._idle():
            return idle
        if (held := self._held_until - time.monotonic()) > 0:
            return Wait(held, ends_with_work=False)
        turn = self.turns.take()
        if turn.wait:
            return Wait(turn.wait, ends_with_work=False)
        self._failures = turn.failures
        sent: list[Batch] = []
        for _ in self.kinds:
            kind = self.kinds[0]
            self.kinds = [*self.kinds[1:], kind]  # the next step begins with another one
            if batch := self.reader.next(kind, self.most):
                if wait := self._send(batch):
                    return Wait(wait, ends_with_work=False)
                sent.append(batch)
        if any(len(batch.rows) >= self.most for batch in sent):
            return Wait(0.0)
        if not sent:
            self.reader.look_for_all()  # what is due is of a kind that was not looked for
        self.reader.finish()
        return self._idle() or Wait(0.0)

    def _idle(self) -> Wait | None:
        """None if an item is due; else another process may send."""
        due = self.queue.next_due()
        if due == 0:
            return None
        self.turns.leave()
        return Wait(IDLE if due is None else due)

    def _send(self, batch: Batch) -> float:
        """Send a batch and settle its rows; returns the seconds to wait."""
        left = None if self._end is None else self._end - time.monotonic()
        if left is not None and left <= 0:
            return 0.0
        try:
            answer = self.caller.exchange(batch.call, left, partial(self.reader.use_time, batch, self.most))
        except ApiError as error:  # of the token endpoint
            return self._hold(error) if error.status in {400, 401, 403} else self._fail(error, error.retry_after)
        except UnexpectedAnswer as error:
            return self._fail(error, error.retry_after)
        self._compare_clocks(answer)
        return self._judge(batch, answer)

    def _judge(self, batch: Batch, answer: Answer) -> float:
        """What an answer means for the rows of `batch`; returns the seconds to wait."""
        kind, rows, body = batch.kind, batch.rows, answer.json
        if answer.status == 200 and all_stored(body, len(rows)):
            self.reader.stored(batch)
            self._succeed(is_stuck=False)
            return self._rest(answer)
        results = results_of(body, len(rows))
        if results:
            return self._settle(kind, rows, results, answer)
        if answer.status in _POISON or (answer.status == 403 and not _is_ours(body)):
            return self._halve(kind, rows, answer)
        is_lasting = 300 <= answer.status < 500 and answer.status not in TRANSIENT
        return self._hold(failure(answer)) if is_lasting else self._fail(failure(answer), answer.retry_after)

    def _settle(self, kind: Kind, rows: Sequence[Row], results: Results, answer: Answer) -> float:
        """Each item by its result; one without a result, and one that may pass, is sent again later."""
        sent: list[Row] = []
        refused: list[tuple[Row, Reason]] = []
        later: dict[int, float] = {}
        for index, row in enumerate(rows):
            result = results.get(index)
            if result is None or result.get("retry") is True:
                later[row.seq] = pause(row.attempts + 1, answer.retry_after)
            elif result["status"] == "rejected" or result.get("retry") is False:
                refused.append((row, _reason(answer.status, result)))
            else:
                sent.append(row)
        is_stuck = not sent and not refused
        self._put(kind, sent, refused, later)
        if is_stuck and answer.status in TRANSIENT:
            return self._fail(failure(answer), answer.retry_after)
        self._succeed(is_stuck)
        return self._rest(answer)

    def _rest(self, answer: Answer) -> float:
        """Rest as long as the service's limits ask; returns the seconds."""
        if wait := self._rate(answer):
            self.turns.rest(wait)
        return wait

    def _halve(self, kind: Kind, rows: Sequence[Row], answer: Answer) -> float:
        """Find the item that makes a request fail, so that it does not hold up the others."""
        if len(rows) > 1:
            middle = len(rows) // 2
            self.most = middle if answer.status == 413 else self.most
            wait = self._send(Batch.of(kind, rows[:middle]))
            self.reader.forget()  # it may be the other half
            return wait or self._send(Batch.of(kind, rows[middle:]))
        row = rows[0]
        if answer.status == 403 and not self._is_proven(row):
            later = {row.seq: pause(row.attempts + 1, answer.retry_after, first=1.0)}
            self._put(kind, [], [], later)
            return self._hold(failure(answer)) if not self._successes else 0.0
        reason = _reason(answer.status, as_object(answer.json) or {})
        self._put(kind, [], [(row, reason)], {})
        return 0.0

    def _is_proven(self, row: Row) -> bool:
        """True if a firewall refused an item again after it had let others pass: the client itself may pass."""
        suspect = self._suspects.setdefault(row.key, _Suspect(self._successes))
        suspect.count += 1
        return suspect.count > 1 and self._successes > suspect.successes

    def _put(
        self, kind: Kind, sent: Sequence[Row], refused: list[tuple[Row, Reason]], later: Mapping[int, float]
    ) -> None:
        """Settle rows, and call the hook for each refused one."""
        self.queue.settle(sent, refused, later)
        for row, reason in refused:
            self._suspects.pop(row.key, None)
            try:
                self.on_refused(Refused(kind.name, row.key, item_of(row.body), reason, row.added_at, time.time()))
            except Exception:
                self.log.exception("on_refused failed for %s", row.key)

    def _succeed(self, is_stuck: bool) -> None:
        self._successes += not is_stuck
        self.most = min(MOST, self.most + 1 + self.most // 10)
        if self._failures:
            self._failures = 0
            self.turns.failed("", 0, 0.0)

    def _fail(self, error: ClientError, floor: float | None) -> float:
        """Note an outage; the pause grows with each, to between one and two minutes."""
        self._failures += 1
        wait = pause(self._failures, floor)
        self._note(error, wait)
        return wait

    def _hold(self, error: ClientError) -> float:
        """Note that the service refuses every request; nothing is touched, and it is asked once a minute.

        A program that starts anew asks at once: its credentials may be other ones.
        """
        self._failures += 1
        wait = pause(1, None, _HELD * 2, _HELD * 2)
        self._held_until = time.monotonic() + wait
        self._note(error, 0.0)
        return wait

    def _note(self, error: ClientError, wait: float) -> None:
        self.log.warning("nothing can be sent now: %s", error)
        self.turns.failed(str(error)[:1000], self._failures, wait)

    def _rate(self, answer: Answer) -> float:
        """Seconds until the service would take another full request, by its RateLimit and RateLimit-Policy fields."""
        state = dict(_LIMIT.findall(answer.headers.get("ratelimit", "")))
        policy = dict(_LIMIT.findall(answer.headers.get("ratelimit-policy", "")))
        if "r" not in state or not int(policy.get("q", "0")):
            return 0.0
        wanted = min(self.most, int(policy["q"]))
        missing = wanted - int(state["r"])
        return min(60.0, max(0.0, missing * int(policy.get("w", "1")) / int(policy["q"])))

    def _compare_clocks(self, answer: Answer) -> None:
        """Note how far this machine's clock is ahead; the times of items are never changed."""
        date = date_of(answer.headers.get("date", ""))
        if date is None:
            return
        skew = (datetime.now(UTC) - date).total_seconds()
        if abs(skew - self._skew) > 30:
            self._skew = skew
            self.turns.note({"clock_skew": skew})
            if abs(skew) > 30:
                self.log.warning("the clock of this machine differs by %.0f s from the service's", skew)


def _is_ours(body: Any) -> bool:
    return is_ours(as_object(body) or {})


def _reason(status: int, result: Mapping[str, Any]) -> Reason:
    """The reason in a result, which is in the style of either version."""
    told = ApiError(status, as_object(result.get("problem")) or {**result})
    inner = told.body.get("status")
    own = inner if isinstance(inner, int) and not isinstance(inner, bool) else status
    return Reason(own, told.code or f"http_{status}", told.detail, told.help, told.pointer)
