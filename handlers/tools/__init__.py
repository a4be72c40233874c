"""Tools for the OpenAPI documents of any team: each request works in a process of its own, within limits."""
