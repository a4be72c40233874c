"""Texts that probably have a format, or match a pattern that is not regular. Each must be tried before it is used."""

import re
from collections.abc import Callable, Iterable, Iterator

BY_FORMAT: dict[str, tuple[str, ...]] = {
    "date-time": ("2026-03-31T12:00:00Z",),
    "date": ("2026-03-31",),
    "time": ("12:00:00Z",),
    "uuid": ("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11",),
    "email": ("someone@example.com",),
    "uri": ("https://example.com/",),
    "url": ("https://example.com/",),
    "uri-reference": ("/path",),
    "hostname": ("example.com",),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "byte": ("YQ==",),
    "regex": ("^a$",),
    "json-pointer": ("/a",),
    "duration": ("P1D",),
}
_LOCAL_PART, _LABEL = 64, 63
"""The longest part of an address before the `@` (RFC 5321 section 4.5.3.1), and label of a host name (RFC 1035)."""
_ALPHABETS = ("a", "A", "0", "aA", "a0", "A0", "aA0", "aA0!", "aA0-", "aA0_", "Aa0#", "0aA@", "-a", "a ")
_MOST_LENGTHS = 15
_LONGEST_GUESS = 200


def of_length(name: str, length: int) -> str | None:
    """A text of `length` characters with the format `name`; None if none is known."""
    make = _MAKERS.get(name)
    text = make(length) if make else ""
    return text if len(text) == length and text else None


def guesses(pattern: str, lengths: Iterable[int]) -> Iterator[str]:
    """Texts of some of `lengths`, and of those in `pattern`, in which characters of several kinds take turns."""
    counts = {int(digits) + more for digits in re.findall("[0-9]{1,3}", pattern) for more in (0, 1, -1)}
    every = [count for count in sorted({*lengths, *counts, 8}) if 0 < count <= _LONGEST_GUESS]
    for length in every[:_MOST_LENGTHS]:
        for alphabet in _ALPHABETS:
            yield (alphabet * length)[:length]


def _uri(length: int) -> str:
    shortest = BY_FORMAT["uri"][0]
    return shortest.ljust(length, "a") if length >= len(shortest) else "a:".ljust(length, "a")


def _host(length: int) -> str:
    """Labels of `a`; empty for a length that ends in a dot."""
    labels = "".join("." if index % (_LABEL + 1) == _LABEL else "a" for index in range(length))
    return labels if not labels.endswith(".") else "a." + labels[2:-1] + "a"


def _email(length: int) -> str:
    local = max(1, min(_LOCAL_PART, length - len("@example.com")))
    return "a" * local + "@" + _host(length - local - 1)


def _fraction(length: int) -> str:
    """A time with so many digits of a second."""
    start = BY_FORMAT["date-time"][0][:-1] + "."
    return start.ljust(length - 1, "0") + "Z"


_MAKERS: dict[str, Callable[[int], str]] = {
    "date-time": _fraction,
    "email": _email,
    "hostname": _host,
    "json-pointer": lambda length: "/".ljust(length, "a"),
    "regex": lambda length: "a" * length,
    "uri": _uri,
    "uri-reference": lambda length: "/".ljust(length, "a"),
    "url": _uri,
}
