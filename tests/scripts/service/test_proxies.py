"""The proxies in front of the service."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from scripts.service.proxies import behind, trusted_proxies
from scripts.service.settings import Settings, SettingsError


def seen(scope: Scope, **environment: str) -> Scope:
    """The scope that the service behind its trusted proxies gets."""
    scopes = []

    async def service(scope: Scope, _receive: Receive, _send: Send) -> None:
        scopes.append(scope)

    async def unused(*_: object) -> None:
        raise AssertionError("nothing is received or sent")

    asyncio.run(behind(trusted_proxies(Settings.read(environment)), service)(scope, unused, unused))  # type: ignore[arg-type]
    return scopes[0]


def request(peer: str, *headers: tuple[bytes, bytes]) -> Scope:
    """The scope of a request from `peer`."""
    return {"type": "http", "client": (peer, 5), "headers": list(headers)}


FORWARDED = (b"x-forwarded-for", b"192.0.2.1")


def test_a_proxy_on_this_machine_names_the_client_by_default() -> None:
    """Over IPv4 or IPv6; without a header, or from elsewhere, the address is that of the connection."""
    assert seen(request("127.0.0.1", FORWARDED))["client"] == ("192.0.2.1", 0)
    assert seen(request("::1", FORWARDED))["client"] == ("192.0.2.1", 0)
    assert seen(request("127.0.0.1"))["client"] == ("127.0.0.1", 5)
    assert seen(request("10.0.0.1", FORWARDED))["client"] == ("10.0.0.1", 5)
    assert seen({"type": "lifespan"}) == {"type": "lifespan"}


def test_the_operator_names_the_proxies() -> None:
    """Those of this machine are then no longer trusted, unless they are named."""
    environment = {"IR_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"}
    assert seen(request("10.0.0.1", FORWARDED), **environment)["client"] == ("192.0.2.1", 0)
    assert seen(request("fd00::1", FORWARDED), **environment)["client"] == ("192.0.2.1", 0)
    assert seen(request("127.0.0.1", FORWARDED), **environment)["client"] == ("127.0.0.1", 5)


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.0/33", "*", " ", "10.0.0.1/x", "10.0.0.1/0"])
def test_the_error_names_what_is_no_network(value: str) -> None:
    """With an example of what is."""
    with pytest.raises(SettingsError) as raised:
        trusted_proxies(Settings(trusted_proxies=value))
    assert str(raised.value).startswith(f"IR_TRUSTED_PROXIES has {value.strip()!r}; it must be addresses and networks")
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("10.0.0.5/8", "10.0.0.0/8"),
        ("::ffff:10.0.0.0/8", "10.0.0.0/8"),
        ("::ffff:10.0.0.5/104", "10.0.0.0/8"),
        ("fe80::1/64", "fe80::/64"),
    ],
)
def test_the_error_names_the_network_that_an_address_is_in(value: str, meant: str) -> None:
    """An address with a length is ambiguous: it may mean the address, or its network."""
    with pytest.raises(SettingsError) as raised:
        trusted_proxies(Settings(trusted_proxies=f"127.0.0.1 {value}"))
    assert str(raised.value).startswith(f"IR_TRUSTED_PROXIES has {value!r}; it must be addresses and networks")
    assert str(raised.value).endswith(f"; did you mean {meant}?")


def test_a_list_of_proxies_may_end_with_a_comma() -> None:
    """Templates write one after each element."""
    proxies = trusted_proxies(Settings(trusted_proxies=",10.0.0.1, ,::1,"))
    assert [str(network) for network in proxies.networks] == ["10.0.0.1/32", "::1/128"]
