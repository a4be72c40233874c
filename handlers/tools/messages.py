"""The messages between a worker and the process that works on documents: a line of JSON, then bytes."""

import json
from typing import Any, NamedTuple

from openapi.problems import Problem
from openapi.rendering.representations import Representation


class Refused(Exception):
    """The request is refused with the problem `code`; `parameters` are those of its row in the table of problems."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


class Task(NamedTuple):
    """What a request asks for: the tool, its variant (a media type or a language), and the type of the `body`."""

    tool: str
    variant: str
    content_type: str
    body: bytes

    def message(self) -> bytes:
        """The task as bytes."""
        return _message([self.tool, self.variant, self.content_type], self.body)

    @classmethod
    def read(cls, message: bytes) -> "Task":
        """The task in the bytes of `message`."""
        head, body = _parts(message)
        tool, variant, content_type = head
        return cls(tool, variant, content_type, body)


def of_result(result: Representation) -> bytes:
    """The message of the worked out `result`."""
    return _message({"result": [result.media_type, result.etag, result.file_name]}, result.content)


def of_refusal(refused: Refused) -> bytes:
    """The message of a refusal."""
    return _message({"problem": [refused.code, refused.parameters]})


def of_failure(failure: str) -> bytes:
    """The message of a fault of the program: where it is, without a word of the documents."""
    return _message({"failure": failure})


def result(message: bytes) -> Representation:
    """The result in `message`; Problem if it is a refusal, RuntimeError if it is a failure."""
    head, content = _parts(message)
    if "failure" in head:
        raise RuntimeError(f"the work on documents failed: {head['failure']}")
    if "problem" in head:
        code, parameters = head["problem"]
        raise Problem(code, **parameters)
    media_type, etag, file_name = head["result"]
    return Representation(media_type, content, etag, file_name)


def _message(head: Any, content: bytes = b"") -> bytes:
    return json.dumps(head).encode() + b"\n" + content


def _parts(message: bytes) -> tuple[Any, bytes]:
    head, _, content = message.partition(b"\n")
    return json.loads(head), content
