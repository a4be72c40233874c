"""Prometheus with the alerts of the project. Their ranges and delays are shortened: a minute becomes a second."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import yaml

from tests.scripts.deploy.proxies import DEPLOY, free_port, program, running, unprivileged_directory

RULES = DEPLOY / "prometheus-rules.yaml"
INTERVAL = "500ms"
"""Between two scrapes, and between two evaluations of the rules."""
LASTS = "1s"
"""How long each condition must last, in place of its `for`."""
HOUR = "3600"
SHORT_HOUR = "4"
"""Seconds. An age in days stays: the test makes things that are as old."""
UNITS = {"m": 1, "h": 60, "d": 24 * 60}
"""The minutes in each unit, and so the seconds in its shortened form."""

Labels = dict[str, str]
Changes = list[tuple[str, str, str]]
"""The name of an alert, and a text of it before and after."""


def shortened(rules: dict[str, Any]) -> tuple[dict[str, Any], Changes]:
    """`rules` with less time, and what differs. No other number and no other text of an expression is changed."""
    changes: Changes = []
    groups = [{**group, "rules": [_shortened(rule, changes) for rule in group["rules"]]} for group in rules["groups"]]
    return {**rules, "groups": groups}, changes


def _shortened(rule: dict[str, Any], changes: Changes) -> dict[str, Any]:
    name, short = rule["alert"], dict(rule)

    def noted(before: str, after: str) -> str:
        if before != after:
            changes.append((name, before, after))
        return after

    def in_seconds(match: re.Match[str]) -> str:
        start, count, unit, end = match.groups()
        return noted(match[0], f"{start}{int(count) * UNITS[unit]}s{end}")

    if "for" in rule:
        short["for"] = noted(f"for: {rule['for']}", f"for: {LASTS}").removeprefix("for: ")
    expression = re.sub(r"(\[|offset )(\d+)([mhd])(\]?)", in_seconds, rule["expr"])
    short["expr"] = re.sub(
        rf"> \d+ \* {HOUR}\b", lambda found: noted(found[0], found[0].replace(HOUR, SHORT_HOUR)), expression
    )
    return short


class Prometheus:
    """The alerts of a running Prometheus, by its HTTP API."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def firing(self) -> list[Labels]:
        """The labels of each alert that fires."""
        response = self._client.get("/api/v1/alerts").raise_for_status()
        return [alert["labels"] for alert in response.json()["data"]["alerts"] if alert["state"] == "firing"]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@contextmanager
def prometheus(targets: dict[str, int], rules: dict[str, Any]) -> Iterator[Prometheus]:
    """Prometheus with `rules`, which scrapes the `targets`: ports by the label `instance`."""
    jobs = {
        "job_name": "interaction-reporting",
        "static_configs": [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}} for name, port in targets.items()
        ],
    }
    times = {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL}
    configuration = {"global": times, "rule_files": [RULES.name], "scrape_configs": [jobs]}
    port = free_port()
    with unprivileged_directory() as directory:
        (directory / RULES.name).write_text(yaml.safe_dump(rules))
        (directory / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        command = [
            program("prometheus"),
            f"--config.file={directory / 'prometheus.yaml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        with running(port, *command) as url:
            opened = Prometheus(url)
            try:
                yield opened
            finally:
                opened.close()


def read_rules() -> dict[str, Any]:
    """The rules of the project."""
    rules: dict[str, Any] = yaml.safe_load(RULES.read_text())
    return rules
