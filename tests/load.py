"""A load of single events from several threads, with the outcome of each event."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.examples import EVENT, PATH


@dataclass
class Load:
    """The outcomes of the events: ids of the acknowledged ones, other statuses, and errors."""

    acknowledged: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Wait until `count` events are acknowledged."""
        patience = threading.Event()
        for _ in range(int(seconds * 100)):
            if len(self.acknowledged) >= count:
                return
            patience.wait(0.01)
        raise AssertionError(
            f"only {len(self.acknowledged)} events acknowledged; {self.statuses[:3]} {self.failures[:3]}"
        )

    def _post(self, url: str, key: str, path: str, pause: float, with_keys: bool) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120) as client:
            while not self.stop.wait(pause):
                headers = {"Idempotency-Key": str(uuid4())} if with_keys else {}
                try:
                    response = client.post(path, json=EVENT, headers=headers)
                except httpx.TransportError as error:
                    self.failures.append(error)
                    return
                if response.status_code == 201:
                    self.acknowledged.append(response.json()["id"])
                else:
                    self.statuses.append(response.status_code)


@contextmanager
def load(
    url: str, key: str, threads: int = 8, path: str = PATH, *, pause: float = 0, with_keys: bool = False
) -> Iterator[Load]:
    """Post events to `path` of the service at `url` until the end; each thread ends when its connection fails.

    Each thread waits `pause` seconds before a request. With `with_keys` each request has an Idempotency-Key of its own.
    """
    traffic = Load()
    posting = [threading.Thread(target=traffic._post, args=(url, key, path, pause, with_keys)) for _ in range(threads)]
    for thread in posting:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stop.set()
        for thread in posting:
            thread.join()
