"""A trial of a new schema on events that were stored under the one in force."""

from collections.abc import Mapping
from typing import Any

from openapi.metadata.check import MetadataSchema, check
from openapi.problems import Problem


class Trial:
    """Compares the schema in force and a proposed one; None accepts any metadata."""

    def __init__(self, in_force: dict[str, Any] | None, proposed: dict[str, Any] | None) -> None:
        """ValueError if the proposed schema has a fault; one in force that has a fault refuses nothing."""
        if proposed is not None and (faults := check(proposed)):
            raise ValueError(faults[0].message)
        is_usable = in_force is not None and not check(in_force)
        self._in_force = MetadataSchema(in_force) if in_force is not None and is_usable else None
        self._proposed = None if proposed is None else MetadataSchema(proposed)

    def newly_fails(self, metadata: Mapping[str, Any] | None) -> Problem | None:
        """Why the proposed schema refuses `metadata` that the one in force accepts; None if it does not."""
        event = {"metadata": metadata}
        problem = self._proposed.problem(event) if self._proposed else None
        return None if problem and self._in_force and self._in_force.problem(event) else problem
