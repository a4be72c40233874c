"""The dashboard for Grafana: its queries are well-formed, and its panels can be read."""

import itertools
import json
from pathlib import Path
from typing import Any

import yaml

from scripts.metrics.families import FAMILIES
from tests.scripts.deploy.proxies import DEPLOY
from tests.scripts.deploy.test_alerts import metrics_in, promtool

DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
GRAPHS = [panel for panel in PANELS if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in GRAPHS for target in panel["targets"]]


def test_each_query_is_promql(tmp_path: Path) -> None:
    """As the expression of a recording rule, with values in place of Grafana's variables."""
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(QUERIES)
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(QUERIES)} rules found" in promtool("check", "rules", path)


def test_each_metric_exists() -> None:
    """Each query reads metrics of the table, of the chosen replicas alone."""
    known = {family.full_name for family in FAMILIES}
    for query in QUERIES:
        assert metrics_in(query)
        assert metrics_in(query) <= known
        assert query.count('{job="$job", instance=~"$instance"') == query.count("interaction_reporting_")


def test_each_panel_has_title_unit_and_place() -> None:
    """No two overlap, and all come from the data source that the reader chooses."""
    assert [row["title"] for row in PANELS if row["type"] == "row"] == [
        *("Traffic", "Latency", "Errors", "Writer", "Database", "Registry", "Process")
    ]
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in GRAPHS:
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
    cells = [cell for panel in PANELS for cell in cells_of(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert max(column for column, _ in cells) < 24


def cells_of(place: dict[str, int]) -> list[tuple[int, int]]:
    """The cells of the grid that a panel takes."""
    columns = range(place["x"], place["x"] + place["w"])
    return list(itertools.product(columns, range(place["y"], place["y"] + place["h"])))
