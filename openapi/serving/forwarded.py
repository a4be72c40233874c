"""The addresses of clients behind proxies: X-Forwarded-For, and Forwarded (RFC 7239)."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FIELDS = frozenset({b"x-forwarded-for", b"forwarded"})
_MAPPED = IPv6Network("::ffff:0:0/96")
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\w+)?|([0-9.]+):\w+")
"""An IPv6 address in brackets, or an IPv4 address with a port (RFC 7239 section 6)."""


def address(text: str) -> Address | None:
    """The IP address in `text`, perhaps with brackets and a port; None if there is none.

    An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), as dual-stack sockets report it, is the IPv4 address.
    """
    match = _WITH_PORT.fullmatch(text)
    try:
        parsed = ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def networks(text: str) -> list[Network]:
    """The addresses and networks in `text`, separated by spaces or commas; ValueError has the text that is neither."""
    return [_network(part) for part in text.replace(",", " ").split() or [""]]


def network_of(text: str) -> Network | None:
    """The network that `text` probably means if it is an address within a network, as 10.0.0.5/8; None if it is not."""
    host, _, length = text.partition("/")
    if length == "0":  # it would trust every address, so it is no suggestion
        return None
    for candidate in (f"{address(host)}/{length}", text):
        with suppress(ValueError):
            return _network(candidate, strict=False)
    return None


def is_forwarded(scope: Scope) -> bool:
    """True if a request has a field that names its client."""
    # A loop calls no generator for each field: every request comes here.
    for name, _ in scope["headers"]:  # noqa: SIM110
        if name in _FIELDS:
            return True
    return False


@dataclass(frozen=True)
class TrustedProxies:
    """The networks of the proxies whose fields may name the client of a request."""

    networks: Sequence[Network]

    def client(self, scope: Scope) -> str | None:
        """The address of the client of a request; None if no trusted proxy sent the request.

        Each proxy appends the address of its sender, so the last address that is not a proxy's is the client's: a
        client can only invent those before it. X-Forwarded-For counts, and Forwarded only without it.
        """
        peer = address((scope.get("client") or ("",))[0])
        if peer is None or not self.trusts(peer):
            return None
        for sender in reversed(_senders(scope)):
            if (nearer := address(sender)) is None:
                break  # the name of a proxy that hides its sender, or nonsense: the proxy after it is what is known
            peer = nearer
            if not self.trusts(peer):
                break
        return str(peer)

    def trusts(self, proxy: Address) -> bool:
        """True if `proxy` is in one of the networks."""
        return any(proxy in network for network in self.networks)


def _network(text: str, strict: bool = True) -> Network:
    """The network in `text`: IPv4 if it is a part of the IPv4-mapped addresses."""
    try:
        network = ip_network(text, strict)
    except ValueError:
        raise ValueError(text) from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def _senders(scope: Scope) -> list[str]:
    """The senders that the proxies of a request name, in their order; "" where a proxy names none."""
    values: dict[bytes, list[str]] = {name: [] for name in _FIELDS}
    for name, value in scope["headers"]:
        if name in _FIELDS:
            elements = [element.strip() for element in value.decode("latin-1").split(",")]
            values[name] += [element for element in elements if element]
    if values[b"x-forwarded-for"]:
        return values[b"x-forwarded-for"]
    return [_for(element) for element in values[b"forwarded"]]


def _for(element: str) -> str:
    """The parameter `for` of an element of Forwarded (RFC 7239 section 4), without its quotes; "" if absent.

    Quotes do not hide a comma: a client that opens one could swallow what the proxies append.
    """
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip('"')
    return ""
