"""The limit on the bodies in the memory of one process."""

import pytest

from openapi.problems import Problem
from openapi.requests import body_memory
from openapi.requests.body_memory import BodyMemory


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the bodies to 100 bytes."""
    monkeypatch.setattr(body_memory, "MOST_BYTES", 100)


def test_large_bodies_are_held_up_to_the_limit() -> None:
    """A further one is refused, for a moment; the room of a body is free again after its end, however that comes."""
    memory = BodyMemory()
    with memory.holding(60), memory.holding(40):
        with pytest.raises(Problem) as refused, memory.holding(1):
            pass
        assert (refused.value.status, refused.value.code) == (503, "overloaded")
        assert (b"retry-after", b"1") in refused.value.headers
    with pytest.raises(ZeroDivisionError), memory.holding(100):
        raise ZeroDivisionError
    with memory.holding(100):
        pass


def test_a_body_alone_always_has_room() -> None:
    """Otherwise a contract with a higher limit for its bodies could never be served."""
    memory = BodyMemory()
    with memory.holding(1000):
        pass
