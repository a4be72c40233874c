"""A report is the same in each process, byte by byte, whatever the seed of Python's hashes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PRINT = """
import json, random
from openapi.contract import Document
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.report import Report
from tests.openapi.diff.documents import document, with_body
from tests.openapi.diff.schemas import schema

SIDES = (("a", "b", "c", "d"), ("c", "e", "f", "g"))

def side(names, dice):
    text = {"type": "string", "enum": list(names)}
    parameters = [{"in": "query", "name": f"q{name}", "schema": text} for name in names]
    headers = {f"X-{name}": {"schema": text} for name in names}
    links = {f"l{name}": {"operationId": name} for name in names}
    content = {f"text/{name}": {"schema": text} for name in names}
    content["application/json"] = {"schema": {"type": "object", "properties": {name: schema(dice) for name in names}}}
    answer = {"content": content, "headers": headers, "links": links}
    responses = {status: answer for status in ("200", *(f"40{number}" for number, _ in enumerate(names)))}
    operation = {
        "parameters": parameters, "requestBody": {"content": content}, "responses": responses,
        "security": [{name: [], "z": ["r", "w"]} for name in names], "tags": list(names),
        "callbacks": {name: {"{$request.query.q%s}" % name: {"post": {"responses": responses}}} for name in names},
        "servers": [{"url": f"/{name}"} for name in names], "operationId": names[0],
    }
    found = document(**{path: {"post": operation} for path in ("same", *names)})
    schemes = {name: {"type": "apiKey", "in": "query", "name": name} for name in (*names, "z")}
    return Document("", {**found.document, "components": {"securitySchemes": schemes}})

def union(tags, *more):
    texts = {"type": "string", "enum": ["v0", "v1", "v2"]}
    alternatives = [{f"p{number}": texts for number in range(50)} | {"p0": {"enum": [tag]}} for tag in tags]
    alternatives[0]["p1"] = {**texts, "enum": [*texts["enum"], *more]}
    one_of = [{"type": "object", "properties": each, "required": [*each]} for each in alternatives]
    return with_body({"oneOf": one_of})

reports = [Report.of(*(side(names, random.Random(seed)) for names in SIDES), ("old", "new")) for seed in range(5)]
tagged = [Report.of(union(tags), union(tags, "v3"), ("old", "new")) for tags in (range(12), [*map(str, range(12))])]
for report in (*reports, *tagged):
    print(*(rendered(report, form, with_texts) for form in Format for with_texts in (False, True)))
"""


def printed(seed: int) -> bytes:
    """The reports that a process prints."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", PRINT]
    return subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment, timeout=120).stdout


def test_reports_are_the_same_for_each_hash_seed() -> None:
    """In all formats, where documents have many names of each kind."""
    first, *others = [printed(seed) for seed in (0, 1, 2)]
    assert first.count(b"schema") > 100
    assert all(other == first for other in others)


def test_a_tag_decides_a_union_within_the_limits() -> None:
    """Alternatives of many properties are told apart by the one that has a single value, text or number."""
    assert b"may now be" in printed(0).rpartition(b"/p1")[0]
    assert b"it cannot be shown" not in printed(0)
