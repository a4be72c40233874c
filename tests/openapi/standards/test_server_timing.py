"""The header that reports the duration of each step of a request."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.contract_client import ContractClient
from tests.examples import EVENT, PATH
from tests.service import Service

pytest_plugins = ["tests.service"]

METRIC = re.compile(r"(\w+);dur=(\d+\.\d{3})")


def names(header: str) -> list[str]:
    """The names of the metrics in a Server-Timing header, which contains nothing else."""
    metrics = METRIC.findall(header)
    assert ", ".join(f"{name};dur={milliseconds}" for name, milliseconds in metrics) == header
    assert all(0 <= float(milliseconds) < 60_000 for _, milliseconds in metrics)
    return [name for name, _ in metrics]


def test_each_response_reports_the_steps_of_its_request(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """A stored event has every step, a refused one has those before the refusal."""
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
        unauthorized = client.post(PATH, json=EVENT, headers={"Authorization": "Bearer irk_unknown"})
        assert names(unauthorized.headers["server-timing"]) == ["answer"]
        assert names(client.get("/health/live").headers["server-timing"]) == ["answer"]


def test_the_header_is_off_by_default(client: ContractClient) -> None:
    """Durations are not public unless the operator turns them on."""
    assert "server-timing" not in client.post(PATH, json=EVENT).headers
