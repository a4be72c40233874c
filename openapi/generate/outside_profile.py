"""What no code can be generated from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from openapi.contract import ContractError
from openapi.standards.json_pointer import pointer

_NOT_OPENAPI = (AttributeError, LookupError, TypeError, ValueError)
"""Raised by an array in place of an object, a number in place of a text, and so on."""


class OutsideProfile(ContractError):
    """A document has something that cannot be said in code; the message has the JSON pointer and the reason."""

    def __init__(self, place: Sequence[str], reason: str) -> None:
        super().__init__(f"{pointer(*place) or 'the document'}: {reason}")


@contextmanager
def readable() -> Iterator[None]:
    """Raise ContractError if the block fails because the document does not have the structure of OpenAPI."""
    try:
        yield
    except ContractError:
        raise
    except _NOT_OPENAPI:
        raise ContractError("it is no valid OpenAPI 3.0 document: 'contract lint' says where") from None
