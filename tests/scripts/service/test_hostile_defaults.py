"""The service and its commands on a server, a role and a database that have other defaults than PostgreSQL's."""

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from scripts.trials.fresh_service import service_on
from tests.examples import EVENT, PATH
from tests.postgresql import debian_server, make_hostile, make_server_hostile
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def output_of(url: str, *command: str) -> str:
    """What `command` prints on the database at `url`."""
    environment = os.environ | {"IR_DATABASE_URL": url}
    run = [sys.executable, "-m", "scripts.cli", *command]
    return subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout


def test_the_service_works_whatever_the_defaults(directory: Path) -> None:
    """It migrates, creates a hub, stores events and batches, lists and exports them, and is ready without a warning."""
    event = EVENT | {"occurred_at": "2026-03-31T23:59:59.123456+02:00", "metadata": {"path": "C:\\new\\'", "é": 1e-7}}
    with debian_server() as url:
        make_hostile(url)
        make_server_hostile(url)
        output_of(url, "migrate")
        key = json.loads(output_of(url, "hub", "create", "acme é", "--json"))["api_key"]
        with (
            service_on(directory, IR_DATABASE_URL=url) as service,
            httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client,
        ):
            widget = json.loads(output_of(url, "widget", "list", "--json"))[0]["id"]
            event["widget_id"] = widget
            first = client.post(PATH, json=event | {"client_event_id": "one"})
            assert first.status_code == 201, first.text
            batch = client.post(f"{PATH}/batch", json=[event] * 200 + [event | {"client_event_id": "one"}])
            outcomes = [result["status"] for result in batch.json()["results"]]
            assert outcomes == ["created"] * 200 + ["duplicate"]
            items = client.get(PATH, params={"limit": 1000, "occurred_from": "2026-03-31T21:59:59Z"}).json()["items"]
            lines = client.get(f"{PATH}/export?format=ndjson").text.splitlines()
            rows = list(csv.DictReader(client.get(f"{PATH}/export?format=csv").text.splitlines()))
            assert [len(items), len(lines), len(rows)] == [201] * 3
            assert items == [json.loads(line) for line in lines]
            assert items[0]["metadata"] == event["metadata"]
            assert items[0]["occurred_at"] == "2026-03-31T21:59:59.123456Z"
            received = datetime.fromisoformat(items[0]["received_at"])
            assert abs(received - datetime.now(UTC)) < timedelta(minutes=5)
            wait_until(lambda: client.get("/health/ready").status_code == 200, 10)
            assert client.get("/health/ready").json()["warnings"] == []
        assert "acme é" in output_of(url, "hub", "list")
