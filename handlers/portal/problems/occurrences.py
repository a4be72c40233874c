"""The operations that may answer with a problem, read from the contracts: by status, and by their examples."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from openapi.contract import Contract
from openapi.problems import TABLE
from openapi.rendering.problem_pages import likeness
from openapi.serving.error_styles import PROBLEMS

LEAST = 12
"""The least likeness of an error in an example to the template of a problem."""
Key = tuple[str, str, str]
"""The path, the method and the name of an operation: what the versions of one operation share."""


@dataclass(frozen=True, slots=True)
class Answering:
    """An operation that may answer with a problem, and the versions that it is in.

    `is_named` is True if an example in one of their documents is of this problem.
    """

    name: str
    method: str
    path: str
    summary: str
    versions: list[str]
    is_named: bool


class Occurrences:
    """What the documents say of problems; read again only for other documents."""

    def __init__(self) -> None:
        self._digests: list[str] = []
        self._versions: Mapping[str, Mapping[Key, list[str]]] = {}
        self._summaries: Mapping[Key, str] = {}
        self._named: Mapping[str, set[tuple[str, Key]]] = {}

    def of(self, code: str, contracts: Sequence[Contract], known: Sequence[Contract]) -> list[Answering]:
        """The operations of `contracts` that may answer with the problem, those whose examples name it first.

        `known` are all contracts that may be asked about.
        """
        self._read(known)
        numbers, status = {contract.version for contract in contracts}, TABLE[code].status
        by_key: dict[Key, list[str]] = defaultdict(list)
        for declared in (str(status), f"{status // 100}XX"):
            for key, versions in self._versions.get(declared, {}).items():
                by_key[key] += [version for version in versions if version in numbers]
        named = {key for version, key in self._named.get(code, ()) if version in numbers}
        rows = [
            Answering(key[2], key[1].upper(), key[0], self._summaries[key], versions, key in named)
            for key, versions in by_key.items()
            if versions
        ]
        return sorted(rows, key=lambda row: not row.is_named)

    def declare(self, code: str, contract: Contract, known: Sequence[Contract]) -> bool:
        """True if an operation of `contract` may answer with the status of the problem."""
        return bool(self.of(code, [contract], known))

    def _read(self, contracts: Sequence[Contract]) -> None:
        digests = [contract.digest for contract in contracts]
        if digests == self._digests:
            return
        versions: dict[str, dict[Key, list[str]]] = defaultdict(lambda: defaultdict(list))
        named: dict[str, set[tuple[str, Key]]] = defaultdict(set)
        for contract in contracts:
            for key, status, codes in _responses(contract):
                versions[status][key].append(contract.version)
                for code in codes:
                    named[code].add((contract.version, key))
        self._digests, self._versions, self._named = digests, versions, named
        self._summaries = {
            (operation.path, operation.method, operation.name): str(contract.at(operation.pointer).get("summary", ""))
            for contract in contracts
            for operation in contract.operations
        }


def _responses(contract: Contract) -> Iterator[tuple[Key, str, frozenset[str]]]:
    """Each response to an error: its operation, its status, and the codes that its examples name."""
    known: dict[int, frozenset[str]] = {}
    for operation in contract.operations:
        for status, declared in contract.at((*operation.pointer, "responses")).items():
            if status[:1] not in "45":
                continue
            response = contract.resolve(declared)
            if id(response) not in known:
                known[id(response)] = frozenset(_codes(list(_examples(contract, response))))
            yield (operation.path, operation.method, operation.name), status, known[id(response)]


def _examples(contract: Contract, response: Mapping[str, Any]) -> Iterator[Any]:
    for media_type in response.get("content", {}).values():
        if "example" in media_type:
            yield media_type["example"]
        yield from (contract.resolve(example).get("value") for example in media_type.get("examples", {}).values())


def _codes(value: Any) -> Iterator[str]:
    """The codes that an example names, in any format: by a type, a code or an error; also in lines of NDJSON."""
    if isinstance(value, list):
        for inner in value:
            yield from _codes(inner)
    elif isinstance(value, str):
        for line in value.splitlines():
            with suppress(ValueError):
                yield from _codes([inner for inner in [json.loads(line)] if isinstance(inner, dict)])
    elif isinstance(value, dict):
        texts = {name: text for name, text in value.items() if isinstance(text, str)}
        _, is_type, code = texts.get("type", "").rpartition(f"{PROBLEMS}/")
        yield from {code if is_type else "", texts.get("code", ""), _code_of(texts.get("error", ""))} & TABLE.keys()
        for inner in value.values():
            if not isinstance(inner, str):
                yield from _codes(inner)


@lru_cache(maxsize=1000)
def _code_of(error: str) -> str:
    """The code of the problem that says `error`; empty if unknown."""
    code = max(TABLE, key=lambda code: likeness(code, error))
    return code if likeness(code, error) >= LEAST else ""
