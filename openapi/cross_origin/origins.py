"""Origins of pages (RFC 6454), in the one form in which browsers send them (HTML, "serialization of an origin")."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

LONGEST = 300
"""Limit on the characters of an origin: a host name has at most 253."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""The hosts whose pages may use http: no other machine can answer in their place."""
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(\[[^]]*\]|[^/?#\\@:\[\]]*)(?::([0-9]*))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_HIGHEST_PORT = 65535


def origin(text: str) -> str:
    """Return `text` if it is the origin of a page exactly as a browser sends it; ValueError says what is wrong.

    That is scheme://host[:port]: in lower case, without the default port and without a path. The scheme is https; http
    only for LOCAL_HOSTS.
    """
    if text in ("*", "null"):
        raise ValueError(f"{text!r} would stand for any page: list each origin by itself, such as https://app.example")
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters; an origin has at most {LONGEST}")
    matched = _PARTS.fullmatch(text)
    if not matched:
        raise ValueError(f"{text!r} is not of the form https://host or https://host:port: leave out all that follows")
    scheme, host, port = matched.groups()
    scheme, host = scheme.lower(), host.lower()
    _check_host(host)
    _check_scheme(scheme, host)
    _check_port(port)
    sent = f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")
    if text != sent:
        raise ValueError(f"a browser sends it as {sent}")
    return text


def origin_of_url(url: str) -> str | None:
    """The origin of the pages at `url`, as a browser sends it; None if `url` has no host, or an impossible port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and str(port) != _DEFAULT_PORTS.get(parts.scheme) else "")


def _check_scheme(scheme: str, host: str) -> None:
    if scheme not in _DEFAULT_PORTS:
        raise ValueError(f"its scheme is {scheme}: use https")
    if scheme == "http" and host not in LOCAL_HOSTS:
        raise ValueError(f"http is only for {', '.join(LOCAL_HOSTS)}: use https")


def _check_host(host: str) -> None:
    """ValueError unless `host`, in lower case, is a name in ASCII, or an address in its shortest form."""
    if not host.isascii():
        raise ValueError("write the host in ASCII, as browsers send it: xn--...")
    if "*" in host:
        raise ValueError("there are no wildcards: list each host by itself")
    if host.startswith("["):
        _check_address(host[1:-1], IPv6Address)
    elif _NUMBER.fullmatch(host.rpartition(".")[2]):
        _check_address(host, IPv4Address)
    elif not _NAME.fullmatch(host) or len(host) > 253:
        raise ValueError(f"{host!r} is not the name of a host")


def _check_address(text: str, kind: type[IPv4Address | IPv6Address]) -> None:
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if not isinstance(address, kind) or getattr(address, "ipv4_mapped", None) or getattr(address, "scope_id", None):
        raise ValueError(f"{text!r} is not the address of a host")
    if str(address) != text:
        raise ValueError(f"a browser sends the address as {address}")


def _check_port(port: str | None) -> None:
    if port and (not _PORT.fullmatch(port) or int(port) > _HIGHEST_PORT):
        raise ValueError(f"the port {port!r} is not a number from 1 to {_HIGHEST_PORT}")
