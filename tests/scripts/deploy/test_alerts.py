"""The alerts for Prometheus: each fires when it must, and not when it must not, by the units of `promtool`."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from db.engine import Database
from scripts.metrics.families import FAMILIES, PREFIX
from scripts.service.maintenance import Upkeep
from tests.scripts.deploy.proxies import DEPLOY, program

RULES = DEPLOY / "prometheus-rules.yaml"
UNITS = sorted(Path(__file__).parent.glob("prometheus-rules*.test.yaml"))
SUFFIXES = ("_bucket", "_sum", "_count")


def alerts(text: str) -> list[dict[str, Any]]:
    """The alerts in the `text` of a file of rules."""
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


ALERTS = alerts(RULES.read_text())
CHECKS = [
    check for path in UNITS for unit in yaml.safe_load(path.read_text())["tests"] for check in unit["alert_rule_test"]
]


def metrics_in(expression: str) -> set[str]:
    """The metrics of the service that a PromQL expression reads, as the table has them."""
    names = set(re.findall(rf"{PREFIX}\w+", expression))
    histograms = {family.full_name for family in FAMILIES if family.kind == "histogram"}
    return {next((name for name in histograms if found in {name + end for end in SUFFIXES}), found) for found in names}


def promtool(*arguments: str | Path) -> str:
    """What `promtool` prints; it must succeed."""
    done = subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules() -> None:
    """It knows each key and each function, and the templates of the texts are well-formed."""
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", RULES)


@pytest.mark.parametrize("units", UNITS, ids=lambda path: path.name)
def test_each_alert_fires_when_it_must(tmp_path: Path, units: Path) -> None:
    """The units name labels alone, so the texts, which another test reads, are taken out of the rules."""
    rules = yaml.safe_load(RULES.read_text())
    for alert in rules["groups"][0]["rules"]:
        del alert["annotations"]
    (tmp_path / RULES.name).write_text(yaml.safe_dump(rules))
    (tmp_path / units.name).write_text(units.read_text())
    assert "SUCCESS" in promtool("test", "rules", tmp_path / units.name)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_has_a_unit_and_words(alert: dict[str, Any]) -> None:
    """It is seen to fire and not to fire; its texts name labels that it has; its metrics exist."""
    checks = [check for check in CHECKS if check["alertname"] == alert["alert"]]
    fired = [fired for check in checks for fired in check.get("exp_alerts", [])]
    assert fired
    assert any("exp_alerts" not in check for check in checks)
    summary, description = alert["annotations"]["summary"], alert["annotations"]["description"]
    for name in re.findall(r"\$labels\.(\w+)", summary + description):
        assert all(name in one["exp_labels"] for one in fired), name
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert summary.endswith(".")
    assert description.endswith(".")
    assert metrics_in(alert["expr"]) <= {family.full_name for family in FAMILIES}
    assert metrics_in(alert["expr"]) or "up{" in alert["expr"]


def test_each_unit_is_of_an_alert() -> None:
    """An alert that was renamed or removed leaves none."""
    assert {check["alertname"] for check in CHECKS} == {alert["alert"] for alert in ALERTS}


def test_an_alert_counts_the_steps_of_the_upkeep() -> None:
    """A step that never succeeded has no series."""
    steps = Upkeep(Database("postgresql://"), None, None)._steps  # type: ignore[arg-type] # it opens nothing
    alert = next(alert for alert in ALERTS if alert["alert"] == "UpkeepNeverSucceeded")
    assert alert["expr"].endswith(f"< {len(steps)}")
