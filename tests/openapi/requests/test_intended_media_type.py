"""The media type that the sender of another one probably meant."""

import pytest

from openapi.requests.intended_media_type import hint

JSON, NDJSON = "application/json", "application/x-ndjson"
LINES = ["application/ndjson", "application/jsonl", "application/x-jsonl", "application/x-jsonlines", "text/ndjson"]
LINES += [
    "application/json-lines",
    "application/json-seq",
    "application/jsonlines",
    "application/x-ldjson",
    "application/stream+json",
    "jsonl",
]
OBJECTS = ["text/json", "application/x-json", "text/x-json", "application/vnd.api+json", "application/problem+json"]
OBJECTS += ["json", "application/javascript", "text/javascript", "application/ld+json"]
OTHERS = [
    "",
    "text/plain",
    "application/octet-stream",
    "multipart/form-data",
    "application/xml",
    "text/csv",
    "application/jsonx",
]


@pytest.mark.parametrize("media_type", LINES)
def test_another_name_for_lines_means_lines(media_type: str) -> None:
    """Where the operation accepts them; elsewhere a single value is meant."""
    assert hint(media_type, [JSON, NDJSON]) == "Did you mean application/x-ndjson?"
    assert hint(media_type, [JSON]) == "Did you mean application/json, with a single JSON value?"
    assert hint(media_type, ["application/event+json"]) == ""


@pytest.mark.parametrize("media_type", OBJECTS)
def test_another_name_for_json_means_json(media_type: str) -> None:
    """Also where lines are accepted."""
    assert hint(media_type, [JSON, NDJSON]) == "Did you mean application/json?"
    assert hint(media_type, [NDJSON]) == ""


@pytest.mark.parametrize("media_type", OTHERS)
def test_a_media_type_unlike_json_means_nothing(media_type: str) -> None:
    """The help lists what is accepted, as always."""
    assert hint(media_type, [JSON, NDJSON]) == ""
