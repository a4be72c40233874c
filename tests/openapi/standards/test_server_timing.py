"""The header that says where the time of a request went."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.contract_client import ContractClient
from tests.examples import EVENT, PATH
from tests.service import Service

pytest_plugins = ["tests.service"]

METRIC = re.compile(r"(\w+);dur=(\d+\.\d{3})")


def names(header: str) -> list[str]:
    """The metrics of a Server-Timing header, which has nothing else in it."""
    found = METRIC.findall(header)
    assert ", ".join(f"{name};dur={milliseconds}" for name, milliseconds in found) == header
    assert all(0 <= float(milliseconds) < 60_000 for _, milliseconds in found)
    return [name for name, _ in found]


def test_each_answer_tells_how_far_its_request_came(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """An event that is stored has every lap, one that is refused those before the refusal."""
    with start_service(IR_SERVER_TIMING="on") as service, service.client() as client:
        stored = client.post(PATH, json=EVENT)
        assert names(stored.headers["server-timing"]) == [
            "authenticate",
            "parse",
            "validate",
            "handle",
            "queue",
            "commit",
            "answer",
        ]
        assert float(dict(METRIC.findall(stored.headers["server-timing"]))["commit"]) > 0
        invalid = client.post(PATH, json={})
        assert names(invalid.headers["server-timing"]) == ["authenticate", "parse", "answer"]
        nobody = client.post(PATH, json=EVENT, headers={"Authorization": "Bearer irk_nobody"})
        assert names(nobody.headers["server-timing"]) == ["answer"]
        assert names(client.get("/health/live").headers["server-timing"]) == ["answer"]


def test_nothing_is_told_unless_asked_for(client: ContractClient) -> None:
    """How long what takes is nobody's business by default."""
    assert "server-timing" not in client.post(PATH, json=EVENT).headers
