"""The addresses of clients behind proxies."""

import pytest

from openapi.serving import forwarded
from openapi.serving.forwarded import TrustedProxies

PROXIES = TrustedProxies(forwarded.networks("127.0.0.1 ::1 10.0.0.0/8, 2001:db8:f::/48 ::ffff:172.16.0.0/108"))


def client(peer: str, *fields: str) -> str | None:
    """The client of a request from `peer`; each of `fields` is a line of its head."""
    lines = [field.partition(": ") for field in fields]
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, _, value in lines]
    return PROXIES.client({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "fields", "expected"),
    [
        ("127.0.0.1", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ("::1", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ("10.200.0.7", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.7", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ("172.17.0.1", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ("2001:db8:f:1::2", ["X-Forwarded-For: 2001:db8::9"], "2001:db8::9"),
        ("127.0.0.1", ["X-Forwarded-For: 203.0.113.5, 192.0.2.1, 10.0.0.8"], "192.0.2.1"),
        ("127.0.0.1", ["X-Forwarded-For: 203.0.113.5", "X-Forwarded-For: 192.0.2.1,10.0.0.8"], "192.0.2.1"),
        ("127.0.0.1", ["X-Forwarded-For: 10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        ("127.0.0.1", ["X-Forwarded-For: 192.0.2.1:4711"], "192.0.2.1"),
        ("127.0.0.1", ["X-Forwarded-For: [2001:db8::9]:4711"], "2001:db8::9"),
        ("127.0.0.1", ["X-Forwarded-For: [2001:db8::9]"], "2001:db8::9"),
        ("127.0.0.1", ["X-Forwarded-For: ::ffff:192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["X-Forwarded-For: ::ffff:10.0.0.8, 192.0.2.1, ::ffff:10.0.0.8"], "192.0.2.1"),
        ("127.0.0.1", ["X-Forwarded-For: 192.0.2.1, ,"], "192.0.2.1"),
        ("127.0.0.1", ["X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.8"], "10.0.0.8"),
        ("127.0.0.1", ["X-Forwarded-For: nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["X-Forwarded-For: "], "127.0.0.1"),
        ("127.0.0.1", ["Forwarded: for=192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ['Forwarded: For="[2001:db8::9]:4711";proto=https; by=10.0.0.1'], "2001:db8::9"),
        ("127.0.0.1", ["Forwarded: proto=https;for=192.0.2.1, for=10.0.0.8"], "192.0.2.1"),
        ("127.0.0.1", ["Forwarded: for=203.0.113.5, for=192.0.2.1", "Forwarded: for=10.0.0.8"], "192.0.2.1"),
        ("127.0.0.1", ['Forwarded: for="203.0.113.5, for=192.0.2.1'], "192.0.2.1"),
        ("127.0.0.1", ["Forwarded: for=192.0.2.1, for=_hidden, for=10.0.0.8"], "10.0.0.8"),
        ("127.0.0.1", ["Forwarded: for=unknown"], "127.0.0.1"),
        ("127.0.0.1", ["Forwarded: proto=https"], "127.0.0.1"),
        ("127.0.0.1", ["Forwarded: for=203.0.113.5", "X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["Forwarded: for=192.0.2.1", "X-Forwarded-For: ,"], "192.0.2.1"),
        ("192.0.2.9", ["X-Forwarded-For: 203.0.113.5"], None),
        ("2001:db8::9", ["Forwarded: for=203.0.113.5"], None),
        ("11.0.0.1", ["X-Forwarded-For: 203.0.113.5"], None),
        ("", ["X-Forwarded-For: 203.0.113.5"], None),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(peer: str, fields: list[str], expected: str | None) -> None:
    """A client can only invent addresses before it; fields from a peer that is not a trusted proxy are ignored."""
    assert client(peer, *fields) == expected


def test_a_request_without_an_address_has_no_client() -> None:
    """As from a socket that has none."""
    assert PROXIES.client({"type": "http", "headers": [(b"x-forwarded-for", b"192.0.2.1")]}) is None


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/33",
        "proxy.example",
        "*",
        "10.0.0.1 10.0.0",
        "::1/129",
        "10.0.0.5/8",
        "::ffff:10.0.0.0/8",
        "fe80::1/64",
        "",
    ],
)
def test_other_texts_are_no_networks(text: str) -> None:
    """The error has the part at fault."""
    with pytest.raises(ValueError, match="^" + text.rsplit(" ", maxsplit=1)[-1].replace("*", r"\*") + "$"):
        forwarded.networks(text)
