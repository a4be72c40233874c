"""A program that reports events through an outbox which it shares with others, for test_outbox_chaos.

Its arguments are the URL, the key, the widget, its own name, how many events it reports, and whether it forks. It notes
in a file of its own the number of each event that `add` has returned for, and goes on after the last one when it is
started again.
"""

import os
import sys
import time
from pathlib import Path

from interaction_reporting import Client, Outbox  # type: ignore[import-not-found] # the package is made by the test


def report(outbox: Outbox, widget: str, name: str, count: int) -> None:
    """Add the events that are not noted yet; one in ten has a type that is not registered."""
    notes = Path(f"{name}.notes")
    whole = notes.read_text().split("\n")[:-1] if notes.exists() else []
    descriptor = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in range(int(whole[-1]) + 1 if whole else 0, count):
        outbox.add(
            {
                "widget_id": widget,
                "event_type": "nope" if number % 10 == 7 else "clicked",
                "occurred_at": "2026-03-31T12:00:00Z",
                "client_event_id": f"{name}-{number}",
            }
        )
        os.write(descriptor, b"%d\n" % number)
        time.sleep(0.002)


def main(url: str, key: str, widget: str, name: str, count: int, *, forks: bool) -> None:
    """Report, and exit with 0 when everything is in the file."""
    outbox = Outbox(Client(url, api_key=key, timeout=5), "outbox.db")
    child = os.fork() if forks else None
    report(outbox, widget, name if child is None and not forks else f"{name}{'p' if child else 'c'}", count)
    if child == 0:
        os._exit(0)
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            os._exit(1)
    outbox.close(0.5)


if __name__ == "__main__":
    _, a_url, a_key, a_widget, a_name, a_count, kind = sys.argv
    main(a_url, a_key, a_widget, a_name, int(a_count), forks=kind == "forks")
