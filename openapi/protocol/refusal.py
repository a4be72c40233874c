"""The response that refuses a request beneath ASGI, as bytes of HTTP/1.1."""

from collections.abc import Iterable

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from openapi.problems import Problem
from openapi.serving.error_styles import ErrorStyle

Headers = Iterable[tuple[bytes, bytes]]


def refusal(problem: Problem, style: ErrorStyle, request_id: bytes, announced: Headers) -> bytes:
    """The whole response that reports `problem` in `style`; each response at its path has the headers `announced`."""
    content = orjson.dumps(style.body(problem))
    headers = [
        *announced,
        (b"content-type", style.media_type.encode("ascii")),
        (b"content-length", b"%d" % len(content)),
        (b"x-request-id", request_id),
        *problem.headers,
    ]
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[problem.status] + head + b"\r\n" + content
