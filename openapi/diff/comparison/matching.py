"""Which operations of two documents belong together, and which templates a concrete path is matched before."""

import json
import re
from collections.abc import Iterable

from openapi.diff.comparison.operations import Operation, blank
from openapi.schemas.conversion import Parts

_OF_THE_PATH = ("parameters", "operationId", "tags", "summary", "description")
"""Members of an operation that may follow its path; its parameters are compared by themselves."""


def matched(
    old: list[Operation], new: list[Operation]
) -> tuple[list[tuple[Operation, Operation]], list[Operation], list[Operation]]:
    """Pairs of operations with a common URL, or else a common path below the server; those only in `old` or `new`."""
    pairs = []
    for keys_of in (_urls, _blank_urls, _blank_paths):
        index = {key: operation for operation in reversed(new) for key in keys_of(operation)}
        rest = []
        for operation in old:
            counterpart = next((index[key] for key in sorted(keys_of(operation)) if key in index), None)
            if counterpart in new:
                pairs.append((operation, counterpart))
                new = [other for other in new if other is not counterpart]
                index = {key: other for key, other in index.items() if other is not counterpart}
            else:
                rest.append(operation)
        old = rest
    return pairs, old, new


def shadowed(operation: Operation, old: Iterable[Operation]) -> list[Operation]:
    """The operations of the old document with a template for the path of `operation`, which is none itself."""
    if "{" in operation.path:
        return []
    urls = [base + operation.path for base in operation.bases]
    return [
        other
        for other in old
        if other.method == operation.method
        and "{" in other.path
        and any(re.fullmatch(pattern_of(base + other.path), url) for base in other.bases for url in urls)
    ]


def pattern_of(path: str) -> str:
    """A pattern for the paths that the template `path` takes."""
    return "([^/]+)".join(map(re.escape, blank(path).split("{}")))


def _urls(operation: Operation) -> frozenset[tuple[str, str]]:
    return frozenset((operation.method, base + operation.path) for base in operation.bases)


def _blank_urls(operation: Operation) -> frozenset[tuple[str, str]]:
    return operation.keys


def _blank_paths(operation: Operation) -> frozenset[tuple[str, str]]:
    return frozenset({(operation.method, blank(operation.path))})


def renamed(removed: Iterable[Operation], added: Iterable[Operation]) -> dict[Parts, Operation]:
    """For an operation that was removed, by its place: the added one that equals it, if there is exactly one."""
    alike: dict[str, list[Operation]] = {}
    for operation in added:
        alike.setdefault(_written(operation), []).append(operation)
    return {
        operation.parts: candidates[0]
        for operation in removed
        if len(candidates := alike.get(_written(operation), [])) == 1
    }


def _written(operation: Operation) -> str:
    """All that clients know of an operation but its path, in one text."""
    declared = {key: value for key, value in operation.raw.items() if key not in _OF_THE_PATH}
    parameters = {
        " ".join(key): {
            member: value for member, value in parameter.raw.items() if member not in ("name", "description")
        }
        for key, parameter in operation.parameters.items()
    }
    return json.dumps([operation.method, operation.bases[0], declared, parameters], sort_keys=True, default=str)
