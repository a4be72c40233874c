"""The marks of a worker that is to stop. A module of its own, so that a supervisor need not load the service."""

DRAINING = "draining"
"""The key that is in the state of the ASGI lifespan, and true, once the worker is to stop."""
ON_DRAIN = "on_drain"
"""The key of a function in that state that ends endless responses. The server calls it before it waits for the last."""
