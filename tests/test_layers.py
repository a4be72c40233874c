"""The arrows between the sub-rooms, read from the imports; and rules for each module."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("openapi", "handlers", "db", "scripts")
ARROWS = {
    "openapi.problems": "",
    "openapi.characters": "",
    "openapi.budget": "",
    "openapi.decimals": "",
    "openapi.sample_texts": "",
    "openapi.standards": ".problems",
    "openapi.intended_values": ".characters .standards",
    "openapi.document_text": "",
    "openapi.contract": ".document_text .standards",
    "openapi.sources": ".contract .document_text .standards",
    "openapi.overlays": ".contract .document_text .sources .standards",
    "openapi.oauth": ".problems .standards",
    "openapi.cross_origin": ".problems .standards",
    "openapi.schemas": ".budget .characters .contract .decimals .intended_values .problems .sample_texts .standards",
    "openapi.requests": ".contract .intended_values .problems .schemas .standards",
    "openapi.serving": ".characters .contract .cross_origin .decimals .oauth .problems .requests .schemas .standards",
    "openapi.protocol": ".problems .requests .serving .standards",
    "openapi.rendering": ".contract .document_text .problems .serving .standards",
    "openapi.lint": ".contract .decimals .oauth .schemas .serving .standards",
    "openapi.diff.wire": ".contract .decimals .standards",
    "openapi.diff.comparison": ".contract .diff.wire .schemas .standards",
    "openapi.diff": ".contract .decimals .diff.comparison .document_text .standards",
    "openapi.diff.reports": ".contract .diff .diff.comparison .rendering .sources .standards",
    "openapi.review": ".contract .diff .diff.reports .lint .rendering .sources",
    "openapi.generated": "",
    "openapi.generated.v1": "",
    "openapi.generated.v2": "",
    "openapi.clients": "",
    "openapi.clients.python.narrowed": "",
    "openapi.clients.python.errors": ".clients.python.narrowed",
    "openapi.clients.python.forks": "",
    "openapi.clients.python.wire": ".clients.python.errors .clients.python.forks .clients.python.narrowed",
    "openapi.clients.python": ".clients.python.errors .clients.python.narrowed .clients.python.wire",
    "openapi.clients.python.outbox_files": ".clients.python .clients.python.errors .clients.python.forks "
    ".clients.python.narrowed .clients.python.wire",
    "openapi.clients.python.testing": ".clients.python.outbox_files",
    "openapi.generate": ".contract .standards",
    "openapi.generate.collections": ".contract .generate .standards",
    "openapi.generate.languages": ".contract .generate",
    "openapi.generate.openapi_generator": ".contract .generate .generate.languages",
    "openapi.metadata": ".budget .contract .decimals .diff .diff.comparison .problems .rendering .schemas .standards",
    "db": "openapi.decimals",
    "handlers.paths": "openapi.serving",
    "handlers.field_errors": "openapi.problems openapi.schemas",
    "handlers.lists": "db .field_errors openapi.problems openapi.serving openapi.standards",
    "handlers.submissions": "db openapi.problems openapi.requests openapi.serving openapi.standards",
    "handlers": "db .field_errors .lists .submissions openapi.characters openapi.generated.v1 openapi.metadata "
    "openapi.problems openapi.requests openapi.serving openapi.standards",
    "handlers.operations": "handlers openapi.serving",
    "handlers.resources": "db handlers .submissions",
    "handlers.security": "db .paths .resources openapi.contract openapi.cross_origin openapi.oauth openapi.problems "
    "openapi.serving openapi.standards",
    "handlers.contracts": ".operations .paths .security db openapi.contract openapi.diff openapi.diff.comparison "
    "openapi.diff.reports openapi.generate openapi.generate.collections openapi.generate.languages "
    "openapi.generate.openapi_generator openapi.lint openapi.problems openapi.rendering openapi.serving "
    "openapi.standards",
    "handlers.contracts.rehearsing": "db handlers .contracts .lists .operations .submissions openapi.contract "
    "openapi.lint openapi.problems openapi.requests openapi.schemas openapi.standards",
    "handlers.live.tail": "db openapi.problems openapi.serving openapi.standards",
    "handlers.site": ".contracts .contracts.rehearsing .field_errors .live.tail .paths .resources .security db "
    "openapi.contract openapi.diff.reports openapi.generate.openapi_generator openapi.oauth openapi.problems "
    "openapi.rendering openapi.requests openapi.serving openapi.standards",
    "handlers.pages": ".lists .paths openapi.problems openapi.rendering openapi.serving openapi.standards",
    "handlers.sessions": "db .pages .security .site openapi.problems openapi.requests openapi.serving "
    "openapi.standards",
    "handlers.hub": "db .operations .pages .paths .security .sessions .site openapi.problems openapi.serving "
    "openapi.standards",
    "handlers.admin": "db .contracts .live .pages .paths .security .sessions .site openapi.problems openapi.serving "
    "openapi.standards",
    "handlers.admin.contracts": ".admin .contracts .contracts.rehearsing .pages .paths .portal .sessions .site .tools "
    "db handlers openapi.contract openapi.diff openapi.diff.reports openapi.lint openapi.problems openapi.rendering "
    "openapi.standards",
    "handlers.admin.rejections": "db handlers .admin .operations .pages .paths .resources .sessions .site "
    ".submissions openapi.contract openapi.problems openapi.requests openapi.schemas openapi.serving",
    "handlers.admin.hubs": "db handlers .admin .contracts .pages .paths .sessions .site openapi.cross_origin "
    "openapi.decimals openapi.rendering openapi.standards",
    "handlers.admin.registry": "db handlers .admin .admin.rejections .pages .paths .sessions .site openapi.decimals "
    "openapi.metadata openapi.problems openapi.rendering openapi.standards",
    "handlers.admin.widgets": "db .admin .pages .paths .sessions openapi.rendering openapi.schemas",
    "handlers.admin.issuer": "db .admin .pages .paths .security .sessions .site openapi.oauth openapi.problems",
    "handlers.live": "db .live.tail .pages .paths .site openapi.problems openapi.serving openapi.standards",
    "handlers.portal": ".contracts .pages .paths .site db handlers openapi.contract openapi.cross_origin "
    "openapi.decimals openapi.diff.reports openapi.metadata openapi.problems openapi.rendering openapi.requests "
    "openapi.standards",
    "handlers.portal.problems": ".contracts .pages .paths .portal .submissions openapi.contract openapi.oauth "
    "openapi.problems openapi.rendering openapi.serving openapi.standards",
    "handlers.tools": ".contracts .operations .paths .security .site db openapi.contract openapi.diff.reports "
    "openapi.generate openapi.lint openapi.problems openapi.rendering openapi.requests openapi.serving "
    "openapi.standards",
    "scripts.metrics": "db handlers.resources",
    "scripts.service.supervision": "handlers.site",
    "scripts.telemetry": "openapi.serving",
    "scripts.service": "db .metrics .service.supervision .telemetry handlers.admin handlers.admin.contracts "
    "handlers.admin.hubs handlers.admin.issuer handlers.admin.registry handlers.admin.rejections "
    "handlers.admin.widgets handlers.contracts handlers.contracts.rehearsing handlers.hub handlers.live.tail "
    "handlers.operations handlers.pages handlers.paths handlers.portal handlers.portal.problems handlers.resources "
    "handlers.security handlers.site handlers.tools openapi.contract openapi.generate.openapi_generator openapi.oauth "
    "openapi.problems openapi.protocol openapi.serving openapi.standards",
    "scripts.commands": "db .service handlers.security openapi.contract openapi.metadata openapi.rendering "
    "openapi.standards",
    "scripts.commands.accounts": "db .commands .service handlers.admin.hubs handlers.contracts handlers.security "
    "handlers.site openapi.cross_origin openapi.oauth openapi.rendering openapi.standards",
    "scripts.commands.generation": "handlers.operations openapi.contract openapi.generate "
    "openapi.generate.collections openapi.generate.languages .commands",
    "scripts.commands.contracts": ".commands .service db handlers.contracts handlers.contracts.rehearsing "
    "handlers.operations openapi.contract openapi.diff openapi.diff.reports openapi.lint openapi.overlays "
    "openapi.rendering openapi.review openapi.sources",
    "scripts.trials.large": "db handlers.lists",
    "scripts.trials": "db handlers.security openapi.contract openapi.oauth .commands .service .trials.large",
    "scripts.mock": "db handlers handlers.contracts handlers.site openapi.oauth openapi.problems openapi.protocol "
    "openapi.schemas openapi.serving openapi.standards .commands .service",
    "scripts.cli": ".commands .service db openapi.contract openapi.rendering",
}
"""What each sub-room may import: folders, and modules that stand by themselves; a dot stands for its own room.

The row `handlers` is for the modules of the nouns. Every arrow must be used.
"""
MOST_MODULES = 14
DRAWERS = {"utils", "util", "common", "helpers", "helper", "base", "manager", "core", "misc"}


def modules(*rooms: str) -> list[Path]:
    """Every module of `rooms`."""
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted name of each module that `tree` imports, whole or in part."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import is absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sub_room(name: str) -> str:
    """The row of ARROWS for `name`, a module or a name in it; empty for a third-party module."""
    while name and name not in ARROWS:
        name = name.rpartition(".")[0]
    return name


def allowed(room: str) -> set[str]:
    """The sub-rooms that the row of `room` names."""
    return {room.partition(".")[0] + name if name.startswith(".") else name for name in ARROWS.get(room, "").split()}


def name_of(path: Path) -> str:
    """The dotted name of the module at `path`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def arrows_from(path: Path) -> set[str]:
    """The other sub-rooms that the module at `path` imports; a whole room has no row."""
    names = [name for name in imported(tree_of(path)) if name.partition(".")[0] in ROOMS]
    return {sub_room(name) or name for name in names} - {sub_room(name_of(path))}


def tree_of(path: Path) -> ast.Module:
    """The syntax tree of the module at `path`."""
    return ast.parse(path.read_text(), filename=str(path))


def identifier(path: Path) -> str:
    """The test id of the module at `path`."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(*ROOMS), ids=identifier)
def test_a_module_imports_what_its_row_allows(path: Path) -> None:
    """It imports nothing from the tests."""
    unlisted = arrows_from(path) - allowed(sub_room(name_of(path)))
    assert not unlisted, (
        f"{sub_room(name_of(path))} may not import {unlisted}: move the code, or add the arrow to its row"
    )
    assert "tests" not in {name.partition(".")[0] for name in imported(tree_of(path))}


@pytest.mark.parametrize("room", ARROWS)
def test_each_arrow_of_a_row_is_used(room: str) -> None:
    """A row allows no more than its modules need."""
    used = [arrows_from(path) for path in modules(*ROOMS) if sub_room(name_of(path)) == room]
    unused = allowed(room) - set().union(*used)
    assert not unused, f"nothing in {room} imports {unused}: take the arrow out of its row"


def test_the_arrows_make_no_cycle() -> None:
    """The sub-rooms can be ordered so that each one needs only those before it."""
    order = list(graphlib.TopologicalSorter({room: allowed(room) for room in ARROWS}).static_order())
    assert set(order) == set(ARROWS)


def test_each_folder_has_a_row() -> None:
    """It holds few modules; `db` is flat, with a module for each noun."""
    folders = {path.parent for path in modules(*ROOMS)} - {ROOT / room for room in ("openapi", "scripts")}
    folders -= {path for path in folders if "migrations" in path.parts}
    assert {name_of(folder) for folder in folders} <= ARROWS.keys()
    sizes = {name_of(folder): len(list(folder.glob("*.py"))) for folder in folders - {ROOT / "db"}}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


@pytest.mark.parametrize("path", modules(*ROOMS, "tests"), ids=identifier)
def test_modules_say_what_they_are_for(path: Path) -> None:
    """Each has a docstring and a specific name, and imports only at its top."""
    tree = tree_of(path)
    assert ast.get_docstring(tree)
    assert path.stem not in DRAWERS
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nested = [
        node for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not nested


@pytest.mark.parametrize("path", [path for path in modules(*ROOMS, "tests") if path.stem == "__init__"], ids=identifier)
def test_packages_export_nothing(path: Path) -> None:
    """An `__init__` is a docstring; that of scripts also silences two warnings of libraries before it imports them."""
    allowed = 4 if path.parent.name == "scripts" and path.parent.parent == ROOT else 1
    assert len(tree_of(path).body) <= allowed


def test_the_top_level_is_the_agreed_one() -> None:
    """The folders and files of the project, except those that begin with a dot."""
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert names - {"fuzz-report", "uv.lock"} == {*ROOMS, "tests", "pyproject.toml", "README.md"}
