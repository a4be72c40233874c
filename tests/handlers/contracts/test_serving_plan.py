"""The plan: the rows that govern each major version determine what is served."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from db.active_contracts import MajorVersionState, ServedDocument
from handlers.contracts.serving import Applications
from handlers.contracts.serving_plan import ServedMajor, parts, plan, require_path, warnings
from openapi.contract import Contract, ContractError
from openapi.problems import Headers

DEPRECATED = datetime(2026, 1, 1, tzinfo=UTC)
SUNSET = datetime(2027, 1, 1, tzinfo=UTC)
ENDS = [(b"deprecation", b"@1767225600"), (b"sunset", b"Fri, 01 Jan 2027 00:00:00 GMT")]
BROKEN = "a: b"
VERSION = b"contract-version"


def text(version: str, path: str | None = None, document: str | None = None, **instants: Any) -> ServedDocument:
    """A contract of `version`, served at `path` or else at the path of its major version."""
    url = path or f"/api/v{version.split('.', maxsplit=1)[0]}"
    content = {"info": {"version": version}, "servers": [{"url": url}]}
    return ServedDocument(version, document or json.dumps(content), **instants)


def applications() -> Applications:
    """Applications that do nothing."""

    def build(_contract: Contract) -> Any:
        async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
            pass

        return application

    return Applications(build)


def planned(*states: MajorVersionState, before: Any = ()) -> list[ServedMajor]:
    """The major versions served from `states`."""
    return plan(states, applications().serve, before)


def served(majors: list[ServedMajor]) -> list[str | None]:
    """The versions served, and the paths of retired ones."""
    return [major.served.contract.version if major.served else major.path for major in majors]


def announced(majors: list[ServedMajor]) -> dict[str, Headers]:
    """The header fields that each path announces, besides the version of its contract."""
    return {part.path: [field for field in part.announced if field[0] != VERSION] for part in parts(majors)}


def governed(majors: list[ServedMajor]) -> dict[str, list[bytes]]:
    """The versions that each path announces."""
    return {part.path: [value for name, value in part.announced if name == VERSION] for part in parts(majors)}


def link(path: str) -> Headers:
    """The link to the successor at `path`."""
    return [(b"link", f'<{path}>; rel="successor-version"'.encode())]


def test_each_major_version_is_served_from_its_row() -> None:
    """Lowest first, each at its own path, without announcements or warnings."""
    majors = planned(
        MajorVersionState(2, "active", text("2.0"), None), MajorVersionState(1, "active", text("1.1"), text("1.0"))
    )
    assert served(majors) == ["1.1", "2.0"]
    assert announced(majors) == {"/api/v1": [], "/api/v2": []}
    assert governed(majors) == {"/api/v1": [b"1.1"], "/api/v2": [b"2.0"]}
    assert warnings(majors) == []
    require_path(majors)


@pytest.mark.parametrize(
    ("later", "successor"),
    [
        ([], "/contracts"),
        (["active"], "/api/v2"),
        (["deprecated", "active"], "/api/v2"),
        (["retired", "active"], "/api/v3"),
        (["superseded"], "/contracts"),
    ],
)
def test_the_end_of_a_version_is_announced_with_its_successor(later: list[str], successor: str) -> None:
    """The lowest higher major version that serves; without one, the list of all versions."""
    first = MajorVersionState(1, "deprecated", text("1.1", deprecated_at=DEPRECATED, sunset_at=SUNSET), None)
    others = [MajorVersionState(2 + index, status, text(f"{2 + index}.0"), None) for index, status in enumerate(later)]
    assert announced(planned(first, *others))["/api/v1"] == [*ENDS, *link(successor)]
    lower = MajorVersionState(1, "active", text("1.1"), None)
    last = MajorVersionState(2, "deprecated", text("2.0", deprecated_at=DEPRECATED), None)
    assert announced(planned(lower, last))["/api/v2"] == [ENDS[0], *link("/contracts")]


@pytest.mark.parametrize(
    ("status", "row", "words"),
    [
        ("active", text("1.1", document=BROKEN), "the row of contract 1.1 cannot be read: the document is not"),
        ("active", text("1.1", document=text("1.2").document), "contract 1.1 holds a document of version 1.2"),
        ("deprecated", text("1.1", path="x"), "the path of its first server"),
        ("superseded", text("1.1"), "no contract of major version 1 is active"),
        (None, None, "no contract of major version 1 is active"),
    ],
    ids=["broken", "other-version", "odd-path", "superseded", "deleted"],
)
def test_the_contract_served_last_is_still_served(status: str | None, row: ServedDocument | None, words: str) -> None:
    """From the database, else from this process; without either nothing is served. Each causes a warning."""
    before = planned(MajorVersionState(1, "active", text("1.0"), None))
    for last, known, expected in ((text("1.1"), before, "1.1"), (None, before, "1.0"), (None, [], None)):
        majors = planned(MajorVersionState(1, status, row, last), before=known)
        assert served(majors) == [expected]
        (warning,) = warnings(majors)
        assert words in warning
        assert (f"contract {expected} (" in warning) is (expected is not None)
    with pytest.raises(ContractError, match="nothing is served in its place"):
        require_path(majors)


def test_a_contract_served_last_keeps_its_announced_end() -> None:
    """The announcement of the row counts, even if its document is broken; without a row the last one stays."""
    row = text("1.1", document=BROKEN, deprecated_at=DEPRECATED)
    last = text("1.0", deprecated_at=DEPRECATED, sunset_at=SUNSET)
    assert announced(planned(MajorVersionState(1, "deprecated", row, last))) == {
        "/api/v1": [ENDS[0], *link("/contracts")]
    }
    assert announced(planned(MajorVersionState(1, "active", text("1.1", document=BROKEN), last))) == {"/api/v1": []}
    without_row = planned(MajorVersionState(1, None, None, last))
    assert announced(without_row) == {"/api/v1": [*ENDS, *link("/contracts")]}
    assert announced(planned(before=without_row)) == {"/api/v1": [*ENDS, *link("/contracts")]}


def test_a_retired_version_keeps_its_path() -> None:
    """The path reports the retirement, also when the row can no longer be read."""
    for row in (text("1.1"), text("1.1", document=BROKEN)):
        majors = planned(
            MajorVersionState(1, "retired", row, text("1.0")), MajorVersionState(2, "active", text("2.0"), None)
        )
        assert served(majors) == ["/api/v1", "2.0"]
        assert warnings(majors) == []
    assert served(planned(MajorVersionState(1, "retired", text("1.1", document=BROKEN), None))) == [None]
    require_path(planned(MajorVersionState(1, "retired", text("1.1"), None)))


def test_a_path_serves_one_version() -> None:
    """A second version at the path is refused; its contract served last stays at its own path."""
    conflicting = MajorVersionState(2, "active", text("2.1", path="/api/v1"), text("2.0"))
    majors = planned(MajorVersionState(1, "active", text("1.1"), None), conflicting)
    assert served(majors) == ["1.1", "2.0"]
    (warning,) = warnings(majors)
    assert warning.startswith("contract 2.1 cannot be served: another contract has its path; contract 2.0 (")


def test_no_row_takes_the_path_of_another_version() -> None:
    """A lower version also yields to the version that is served there."""
    moved = MajorVersionState(1, "active", text("1.1", path="/api/v2"), text("1.0"))
    majors = planned(moved, MajorVersionState(2, "active", text("2.0"), text("2.0")))
    assert served(majors) == ["1.0", "2.0"]
    (warning,) = warnings(majors)
    assert warning.startswith("contract 1.1 cannot be served: another contract has its path; contract 1.0 (")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/contracts", None), ("/contracts/v1", None), ("/metrics", None), ("/health/x", None), ("/metricsapi/v1", "1.1")],
)
def test_no_contract_is_served_at_a_path_of_the_service(path: str, expected: str | None) -> None:
    """A contract that no client could reach does not count as served."""
    majors = planned(MajorVersionState(1, "active", text("1.1", path=path), None))
    assert served(majors) == [expected]
    assert all(
        f"cannot be served at {path}: the service itself uses this path" in warning for warning in warnings(majors)
    )


def test_a_successor_may_be_at_the_root() -> None:
    """Its path is one slash."""
    first = MajorVersionState(1, "deprecated", text("1.1", deprecated_at=DEPRECATED), None)
    second = MajorVersionState(2, "active", text("2.0", path="https://hubs.example/"), None)
    assert announced(planned(first, second))["/api/v1"] == [ENDS[0], *link("/")]


def test_a_part_has_the_paths_of_its_operations() -> None:
    """A retired version has none: no request is referred to it."""
    document = {**json.loads(text("2.0").document), "paths": {"/things": {"get": {"responses": {}}}}}
    majors = planned(
        MajorVersionState(1, "retired", text("1.1"), None),
        MajorVersionState(2, "active", text("2.0", document=json.dumps(document)), None),
    )
    assert [list(part.paths) for part in parts(majors)] == [[], ["/api/v2/things"]]


def test_no_application_is_built_twice() -> None:
    """An application stays as long as its document, whatever else changes in its row."""
    built = applications()
    first, second = (
        plan([MajorVersionState(1, status, text("1.1", sunset_at=sunset), None)], built.serve)
        for status, sunset in (("active", None), ("deprecated", SUNSET))
    )
    assert first[0].served is second[0].served is not None
    built.forget()
    built.forget()
    assert plan([MajorVersionState(1, "active", text("1.1"), None)], built.serve)[0].served is not first[0].served


def test_without_a_contract_no_service_starts() -> None:
    """A database without any contract."""
    with pytest.raises(ContractError, match="no contract is active; see 'interaction-reporting contract list'"):
        require_path(planned())
