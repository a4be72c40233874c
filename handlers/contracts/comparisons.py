"""The changes from one contract to another, compared once for each pair of documents."""

from collections import OrderedDict

from openapi.contract import Contract
from openapi.diff.reports.report import Report

_MOST = 64
"""Limit on the reports in memory; the one that was used longest ago is forgotten."""


class Comparisons:
    """The reports of pairs of contracts."""

    def __init__(self) -> None:
        self._reports: OrderedDict[tuple[str, str], Report] = OrderedDict()

    def report(self, old: Contract, new: Contract) -> Report:
        """The changes from `old` to `new`; ContractError if they cannot be compared."""
        key = old.digest, new.digest
        if key not in self._reports:
            self._reports[key] = Report.of(old, new, (old.version, new.version))
        self._reports.move_to_end(key)
        if len(self._reports) > _MOST:
            self._reports.popitem(last=False)
        return self._reports[key]
