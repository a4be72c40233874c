"""Schemathesis finds no broken promise in the service, and finds the promises that are broken on purpose."""

import functools
import xml.etree.ElementTree as ET
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.core.transport import expand_status_codes
from typer.testing import CliRunner

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.serving.messages import Answer, Request
from openapi.standards.media_types import NDJSON
from scripts.cli import app
from scripts.trials.schemathesis_run import CONFIGURATION, Subject, Verdict, judged
from tests.examples import MAJOR, NEWEST, OLDEST
from tests.service import CONTRACTS, Service

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", [OLDEST, NEWEST, MAJOR])
def test_the_service_keeps_every_promise(version: str, tmp_path: Path) -> None:
    """`interaction-reporting fuzz` exits 0; for each contract there are reports, which cover every operation."""
    options = ["--contract", version, "--report-dir", str(tmp_path), "--max-examples", "30"]
    assert CliRunner().invoke(app, ["fuzz", *options]).exit_code == 0
    (junit,) = (tmp_path / version).glob("junit-*.xml")
    (suite,) = ET.parse(junit).getroot().iter("testsuite")  # noqa: S314 (written by the run above)
    assert int(suite.attrib["tests"]) >= len(CONTRACTS[version].operations)
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("0", "0")
    assert list((tmp_path / version).glob("html-*/index.html"))


def test_the_versions_to_fuzz_are_those_of_the_release(tmp_path: Path) -> None:
    """Another version is a usage error that names them, and starts nothing."""
    result = CliRunner().invoke(app, ["fuzz", "--contract", "7.0", "--report-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "--contract is 7.0; this release has 1.0, 1.1, 2.0" in result.output


def expected(check: str, operation: Any) -> frozenset[int]:
    """The statuses that `check` expects of an operation, as Schemathesis reads our configuration."""
    checks = operation.schema.config.checks_config_for(operation=operation)
    return expand_status_codes(getattr(checks, check).expected_statuses)


@pytest.mark.parametrize("contract", [*published()], ids=lambda contract: contract.version)
def test_every_rightful_rejection_is_expected(contract: Contract) -> None:
    """No seed can fail an example for a documented rejection of its operation, nor for its size alone."""
    config = SchemathesisConfig.from_path(CONFIGURATION)
    schema = schemathesis.openapi.from_dict(contract.copy(), config=config)
    judged = 0
    for operation in (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)):
        documented = {int(status) for status in operation.definition.raw["responses"]}
        rejecting = {status for status in documented if 400 <= status < 500}
        assert rejecting <= expected("negative_data_rejection", operation), operation.label
        assert not (documented - rejecting) & expected("negative_data_rejection", operation), operation.label
        has_rules = operation.label == "POST /rejected-submissions/replay"  # its body has a bound in its schema
        assert (413 in expected("positive_data_acceptance", operation)) is not has_rules
        assert (422 in expected("positive_data_acceptance", operation)) is has_rules
        judged += 1
    assert judged == len(contract.operations)


def without_occurred_at(answer: Answer) -> Answer:
    """An answer that lacks a promised field."""
    return Answer(answer.status, {name: value for name, value in answer.body.items() if name != "occurred_at"})


def with_another_status(answer: Answer) -> Answer:
    """An answer with a status that is not documented."""
    return Answer(202, answer.body)


def failing(_answer: Answer) -> Answer:
    """Raise instead of an answer."""
    raise RuntimeError("broken on purpose")


@pytest.mark.parametrize("broken", [without_occurred_at, with_another_status, failing])
def test_a_broken_promise_is_found(
    broken: Callable[[Answer], Answer],
    start_service: Callable[..., AbstractContextManager[Service]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A handler that breaks its promise makes the run fail."""
    original = OPERATIONS.handler("reportInteractionEvent")

    @functools.wraps(original)
    async def create(request: Request) -> Answer:
        return broken(await original(request))

    monkeypatch.setitem(OPERATIONS.handlers, "reportInteractionEvent", create)
    with start_service(IR_LOG_LEVEL="error") as service:
        assert (
            judged(service.contract, Subject(service.url, service.key), tmp_path, "--phases", "examples")
            is Verdict.BROKEN
        )


def test_a_broken_line_is_found_before_a_valid_one(
    start_service: Callable[..., AbstractContextManager[Service]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line of an NDJSON response is checked, not only the last one."""
    original = OPERATIONS.handler("reportInteractionEvents")

    async def with_another_line(lines: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        yield b'{"index": "none"}\n'
        async for line in lines:
            yield line

    @functools.wraps(original)
    async def create(request: Request) -> Answer:
        answer = await original(request)
        return replace(answer, body=with_another_line(answer.body)) if answer.media_type == NDJSON else answer

    monkeypatch.setitem(OPERATIONS.handlers, "reportInteractionEvents", create)
    with start_service(IR_LOG_LEVEL="error") as service:
        options = ["--phases", "examples", "--include-path", "/interaction-events/batch"]
        assert judged(service.contract, Subject(service.url, service.key), tmp_path, *options) is Verdict.BROKEN
    (junit,) = (tmp_path / service.contract.version).glob("junit-*.xml")
    assert '"none" is not of type "integer"' in ET.parse(junit).getroot().findtext(".//failure", "")  # noqa: S314


def test_a_service_without_a_broken_promise_passes(service: Service, tmp_path: Path) -> None:
    """The same run passes when nothing is broken."""
    assert judged(service.contract, Subject(service.url, service.key), tmp_path, "--phases", "examples") is Verdict.KEPT
