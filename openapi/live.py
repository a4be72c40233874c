"""An ASGI application that can be replaced while it serves."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Live:
    """Passes each request to `application`, which may be set anew at any time; a request stays with its own."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.application(scope, receive, send)
