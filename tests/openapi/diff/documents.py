"""Small documents to compare."""

from typing import Any

from openapi.contract import Document


def document(**paths: Any) -> Document:
    """A document with the operations of `paths`, by path without its slash."""
    base = {"openapi": "3.0.3", "info": {"title": "A", "version": "1.0"}}
    return Document("", {**base, "paths": {f"/{name}": item for name, item in paths.items()}})


def with_body(schema: Any, path: str = "/x", **operation: Any) -> Document:
    """A document with `POST` of a body that satisfies `schema`, at `path`."""
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    post = {"operationId": "post", "requestBody": body, "responses": {"204": {"description": "Done."}}}
    return document(**{path[1:]: {"post": {**post, **operation}}})
