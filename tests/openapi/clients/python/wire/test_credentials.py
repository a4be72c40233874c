"""Credentials: what a request has in `Authorization`."""

import pytest

from openapi.clients.python.errors import InvalidItem
from openapi.clients.python.wire.credentials import Key


@pytest.mark.parametrize("key", ["secret\n", "secr\r\net", "secret\x00", "secr\u00e9t"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    """Such as one from a file that ends with a line break: the error may be logged."""
    for given in (key, lambda: key):
        with pytest.raises(InvalidItem, match="Authorization: the key has a character") as refused:
            Key(given).headers("GET", "https://reports.example/")
        assert "sec" not in str(refused.value)
