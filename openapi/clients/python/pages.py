"""Lists, read page by page."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Fetch = Callable[[str | None], Mapping[str, Any]]
"""Fetches the page after a cursor; None for the first one."""


class Items(Generic[T]):
    """The items of all pages of a list; with `poll`, in seconds, also those that come later, without end.

    After an error, `next` asks for the same page again. `cursor` continues a list: it begins with the page of the item
    that was returned last, so that no item is lost if the program stops while it handles one.
    """

    def __init__(self, fetch: Fetch, cursor: str | None, poll: float | None = None) -> None:
        self._fetch = fetch
        self._poll = poll
        self._page: Iterator[T] = iter(())
        self._next = cursor
        self._has_more = True
        self.cursor = cursor

    def __iter__(self) -> "Items[T]":
        return self

    def __next__(self) -> T:
        while True:
            for item in self._page:
                return item
            if not self._has_more:
                if self._poll is None:
                    raise StopIteration
                self.cursor = self._next
                time.sleep(random.uniform(0.5, 1.0) * self._poll)  # noqa: S311 - so that clients do not ask together
            self._turn()

    def _turn(self) -> None:
        """Go to the next page."""
        page = self._fetch(self._next)
        self.cursor, self._next = self._next, page.get("next_cursor") or self._next
        self._has_more = page.get("has_more") is True
        self._page = iter(page.get("items") or ())
