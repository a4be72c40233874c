"""Message framing: the fields that say where a request ends (RFC 9112 section 6)."""

MAX_LENGTH_DIGITS = 19
FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})
"""The names of the fields that `ambiguity` reads."""

_PLAIN = ([b"host"], [b"host", b"content-length"], [b"content-length", b"host"])
"""The framing of nearly every request."""


def ambiguity(method: bytes, version: str, fields: list[tuple[bytes, bytes]], is_upgrade: bool) -> str | None:
    """The reason why two parsers could read a head differently (RFC 9112 sections 2.3, 3.2, 6.1, 6.3); None if absent.

    `fields` are those of FRAMING, in order of arrival.
    """
    names = [name for name, _ in fields]
    lengths = [value for name, value in fields if name == b"content-length"]
    is_plain = version == "1.1" and names in _PLAIN and not is_upgrade
    if is_plain and all(len(value) <= MAX_LENGTH_DIGITS for value in lengths):
        return None
    codings = [value.strip().lower() for name, value in fields if name == b"transfer-encoding"]
    faults = {
        "CONNECT is for proxies, and this service is not a proxy": method == b"CONNECT",
        "its version is neither HTTP/1.0 nor HTTP/1.1": version not in ("1.0", "1.1"),
        "it must have exactly one Host field": version == "1.1" and names.count(b"host") != 1,
        "it has both Content-Length and Transfer-Encoding": bool(codings and lengths),
        "its Transfer-Encoding is not chunked": codings not in ([], [b"chunked"] if version == "1.1" else []),
        "it has more than one Content-Length": len(lengths) > 1,
        "its Content-Length has too many digits": any(len(value) > MAX_LENGTH_DIGITS for value in lengths),
    }
    return next((fault for fault, is_present in faults.items() if is_present), None)
