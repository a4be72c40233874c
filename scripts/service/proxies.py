"""The proxies in front of the service: the operator names them, and they name the clients."""

from starlette.types import ASGIApp, Receive, Scope, Send

from openapi.serving import forwarded
from openapi.serving.forwarded import TrustedProxies
from scripts.service.settings import Settings, SettingsError, variable


def trusted_proxies(settings: Settings) -> TrustedProxies:
    """The trusted proxies of `settings`; SettingsError if one is neither an address nor a network."""
    try:
        return TrustedProxies(forwarded.networks(settings.trusted_proxies))
    except ValueError as error:
        name, example = variable("trusted_proxies"), "10.0.0.0/8 ::1"
        form = f"addresses and networks, separated by spaces or commas, like {example}"
        hint = f"; did you mean {meant}?" if (meant := forwarded.network_of(str(error))) else ""
        raise SettingsError(f"{name} has {str(error)!r}; it must be {form}{hint}") from None


def behind(proxies: TrustedProxies, service: ASGIApp) -> ASGIApp:
    """`service`, which sees the address of the client that one of `proxies` forwards a request for."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and forwarded.is_forwarded(scope) and (client := proxies.client(scope)):
            scope["client"] = (client, 0)
        await service(scope, receive, send)

    return application
