"""The layout of generated code: what is short stands on one line, and what is long on one for each part."""

import ast
from collections.abc import Sequence

WIDTH = 120


def joined(before: str, parts: Sequence[str], after: str, indent: int, step: int = 4) -> str:
    """`before`, `parts` and `after`, with commas between; the line has `indent` spaces, inner ones `step` more."""
    line = before + ", ".join(parts) + after
    if indent + len(line) <= WIDTH and "\n" not in line:
        return line
    inner = " " * (indent + step)
    items = [part if part == "*" else part.replace("\n", "\n" + inner[step:]) for part in parts]
    return before + "\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent + after


def without_unused_imports(module: str) -> str:
    """A module of Python without the names that it imports and does not use; each of its imports is one line."""
    tree = ast.parse(module)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lines: list[str | None] = [*module.split("\n")]
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            names = [alias.name for alias in statement.names if alias.name in used]
            lines[statement.lineno - 1] = f"from {statement.module} import {', '.join(names)}" if names else None
    return "\n".join(line for line in lines if line is not None)
