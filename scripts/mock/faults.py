"""The faults that a test has ordered and that are still due."""

from collections.abc import Iterable

from scripts.mock.fault_kinds import Fault


class Faults:
    """Faults in their order. A request has at most one: the first that is meant for its method and path."""

    def __init__(self) -> None:
        self._left: list[Fault] = []

    @property
    def left(self) -> list[Fault]:
        """Those that are still due; `times` is how often."""
        return [dict(fault) for fault in self._left]

    def add(self, faults: Iterable[Fault]) -> None:
        """Order `faults` after those that are still due."""
        self._left.extend(dict(fault) for fault in faults)

    def clear(self) -> None:
        """End all faults. Requests that already have theirs keep it."""
        self._left.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of a request, which is then due once less; None if it has none."""
        for fault in self._left:
            if fault.get("method", method) == method and path.startswith(fault.get("path", "")):
                self._use(fault)
                return fault
        return None

    def _use(self, fault: Fault) -> None:
        if fault["times"] is not None:
            fault["times"] -= 1
        if fault["times"] == 0:
            self._left.remove(fault)
