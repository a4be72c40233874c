"""The changelog of contracts."""

import json
import os
import subprocess
import sys

from openapi.contract import Contract, published
from openapi.diff.reports.changelog import changelog
from tests.openapi.diff.documents import with_body


def test_the_newest_comes_first_with_each_addition() -> None:
    """For the contracts of this release."""
    *minors, major = published()
    text = changelog(minors)
    assert text.startswith("# Changelog of Interaction Reporting API\n\n## 1.1: minor change from 1.0\n\n- ")
    assert text.endswith("\n\n## 1.0\n\nThe first version.\n")
    assert "\n- body /client_event_id is a new property: Requests without it are accepted.\n" in text
    assert "- 6 descriptive texts changed.\n" in text
    assert "(breaking)" not in text
    whole = changelog([*minors, major])
    assert whole.startswith("# Changelog of Interaction Reporting API\n\n## 2.0: major change from 1.1\n\n- ")
    assert whole.endswith(text.partition("\n\n")[2])
    assert "- the paths of the servers are /api/v2 now; they were /api/v1" in whole
    assert "- clients authenticate by oauth2 with events:write; previously they authenticated by http bearer" in whole
    assert "- response 422 is no longer application/json" in whole


def test_a_version_may_change_nothing() -> None:
    """The changelog says so; without contracts it is empty."""
    document = with_body({"type": "string"}).document
    contracts = [
        Contract.read(json.dumps({**document, "info": {"title": "A", "version": version}}))
        for version in ("1.0", "1.1")
    ]
    assert "## 1.1: no change from 1.0\n\nNo request and no response changed.\n" in changelog(contracts)
    assert changelog([]) == ""


def test_each_process_writes_the_same() -> None:
    """The hash seed has no effect: all workers serve the same changelog, with one entity tag."""
    modules = "from openapi.contract import published; from openapi.diff.reports.changelog import changelog"
    command = [sys.executable, "-c", f"{modules}; print(changelog(published()))"]
    texts = {
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
