"""The ids of widgets in addresses and forms: anything may stand there."""

from uuid import UUID

from openapi.schemas.validation import is_uuid

EXAMPLE = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"


def read(text: str) -> UUID | None:
    """The id in `text`, as the API takes it; None if it is none."""
    return UUID(text) if is_uuid(text) else None
