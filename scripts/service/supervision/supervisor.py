"""The supervisor of the workers: uvicorn's, so that no fault of one worker stops the others.

uvicorn 0.54 waits for the answer of one worker after another, even of a dead one, and stops all of them if one fails
to start. Here a dead worker is noticed at once, and others are started in its place until one serves.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from scripts.service.supervision.server import DelayedServer

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the supervisor looks after its workers, apart from deaths, which it notices at once."""
START_LOOK_SECONDS = 0.1
"""How often while one of them starts."""
SILENCE_SECONDS: float = 120
"""How long a worker may leave a question unanswered until it is killed: a busy machine may delay its thread."""
PAUSES = (1, 2, 4, 8, 15)
"""Seconds before the next start in the place of a worker that failed: once, twice, and so on."""
STEADY_SECONDS = 10
"""A worker that ends after a shorter life has failed."""
END_SECONDS = 0.5
"""How long a worker may take to end after it has drained."""
START_END_SECONDS = 2
"""How long a worker that never served may take to end."""
END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """The delay before a drain, in seconds, and objects that bring descriptors along when they are sent to a worker."""

    drain_delay: float = 0
    inherited: Sequence[Any] = ()


class Worker(Process):
    """A worker process. Its supervisor asks it whether it serves, and looks for the answer later."""

    def __init__(self, config: Config, sockets: list[socket.socket], options: WorkerOptions) -> None:
        super().__init__(config, sockets)
        self.has_served = False
        self._options = options
        self._asked_at: float | None = None
        self._started_at = 0.0
        self._is_cut_off = False

    @property
    def server(self) -> Server:
        """The server in the process of the worker."""
        if self._server is None:
            self._server = DelayedServer(self.config, self._options.drain_delay)
        return self._server

    @property
    def is_steady(self) -> bool:
        """True if the worker has served, and not only for a moment."""
        return self.has_served and time.monotonic() - self._started_at > STEADY_SECONDS

    def start(self) -> None:
        """Start the process. Only it keeps its end of the pipe, which is therefore closed when it dies."""
        self._started_at = time.monotonic()
        super().start()
        self.child_conn.close()

    def look(self) -> None:
        """Ask whether the worker serves, or read its last answer, without waiting; kill it if it stays silent."""
        try:
            if self._asked_at is None:
                self.parent_conn.send(b"ping")
                self._asked_at = time.monotonic()
            elif self.parent_conn.poll():
                self._note(self.parent_conn.recv())
            elif time.monotonic() - self._asked_at > SILENCE_SECONDS:
                self.cut_off("a worker is silent, and is killed")
        except (OSError, EOFError):  # it has just died
            pass

    def cut_off(self, words: str) -> None:
        """Kill the process and log why, once: its end may take a moment."""
        if not self._is_cut_off:
            self._is_cut_off = True
            logger.error(words, extra={"worker": self.pid})
            self.process.kill()

    def _note(self, serves: bool) -> None:
        self._asked_at = None
        if serves and not self.has_served:
            self.has_served = True
            logger.info("a worker serves", extra={"worker": self.pid})


class Place:
    """The place of one worker: its process, or the time at which another may start."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.failures = 0
        self.starts_at = 0.0

    def end(self, worker: Worker) -> None:
        """Note that `worker` has ended, and set the time of the next start."""
        self.failures = 0 if worker.is_steady else self.failures + 1
        pause = PAUSES[min(self.failures, len(PAUSES)) - 1] if self.failures else 0
        self.starts_at = time.monotonic() + pause
        self.worker = None


class Supervisor(Multiprocess):
    """Starts the workers, and another for each that ends, until SIGTERM or SIGINT.

    `run` raises SystemExit if a worker fails to start before any has served.
    """

    def __init__(
        self,
        config: Config,
        sockets: list[socket.socket],
        options: WorkerOptions = WorkerOptions(),
        look: Callable[[], Any] = lambda: None,
        ended: Callable[[int], Any] = lambda _worker: None,
    ) -> None:
        """`look` is called twice a second, and `ended` with the process id of each worker that has ended."""
        super().__init__(config, sockets)
        self._options = options
        self._look = look
        self._ended = ended
        self._places = [Place() for _ in range(config.workers)]
        self._has_served = False
        self._retried_at = 0.0

    def run(self) -> None:
        """Supervise until a signal; then let the workers drain."""
        while not self.should_exit.is_set():
            for place in self._places:
                self._attend(place)
            self._look()
            self._wait()
            self.handle_signals()
        self._stop()

    def handle_hup(self) -> None:
        """SIGHUP changes nothing: uvicorn's own handler would wait for each worker, deaf to SIGTERM."""

    handle_ttin = handle_ttou = handle_hup

    def _wait(self) -> None:
        """Wait until a worker ends, or it is time to look after them."""
        workers = self._workers()
        seconds = LOOK_SECONDS if all(worker.has_served for worker in workers) else START_LOOK_SECONDS
        connection.wait([worker.process.sentinel for worker in workers], seconds)

    def _workers(self) -> list[Worker]:
        return [place.worker for place in self._places if place.worker]

    def _attend(self, place: Place) -> None:
        """Look after the worker of `place`: note its end, or start another."""
        worker = place.worker
        if worker is None:
            if self._may_start(place):
                place.worker = self._started()
        elif worker.process.is_alive():
            worker.look()
            self._has_served = self._has_served or worker.has_served
        else:
            self._note_end(worker)
            place.end(worker)
            self._attend(place)

    def _may_start(self, place: Place) -> bool:
        """True if a start is due; of those that repeat a failed one, at most one is due in a second."""
        now = time.monotonic()
        if place.failures and now < max(place.starts_at, self._retried_at + PAUSES[0]):
            return False
        self._retried_at = now if place.failures else self._retried_at
        return True

    def _started(self) -> Worker:
        worker = Worker(self.config, self.sockets, self._options)
        worker.start()
        logger.info("a worker starts", extra={"worker": worker.pid})
        return worker

    def _note_end(self, worker: Worker) -> None:
        """Log the end of `worker`; if none has served yet, an error of its start ends the service."""
        logger.warning("a worker has ended", extra={"worker": worker.pid, "exit_code": worker.exitcode})
        self._ended(worker.pid or 0)
        if worker.exitcode == STARTUP_FAILURE and not self._has_served:
            logger.error("the service ends, because it cannot start: the worker has logged the reason")
            self._stop()
            sys.exit(1)

    def _stop(self) -> None:
        """Let the workers drain, and kill those that take too long. They get each further signal, too."""
        self.signal_queue.insert(0, signal.SIGTERM)
        now = time.monotonic()
        drained = now + self._options.drain_delay + (self.config.timeout_graceful_shutdown or 0) + END_SECONDS
        while workers := [worker for worker in self._workers() if worker.process.is_alive()]:
            numbers, self.signal_queue = self.signal_queue, []
            for worker in workers:
                for number in numbers:
                    if number in END_SIGNALS:
                        os.kill(worker.pid or 0, number)
                worker.look()
                if time.monotonic() > (drained if worker.has_served else now + START_END_SECONDS):
                    worker.cut_off("a worker takes too long to end, and is killed")
            connection.wait([worker.process.sentinel for worker in workers], END_SECONDS / 5)
