"""The values of metrics in one process, and their sums over processes."""

from collections.abc import Callable, Iterable

from scripts.metrics.families import TABLE, Family

Labels = tuple[str, ...]
Value = float | list[float]
"""A number; of a histogram the number of values in each bucket, not added up, and last the sum of the values."""
Values = dict[str, dict[Labels, Value]]
"""By the name of the family and the values of its labels."""
Sample = tuple[str, Labels, Value]

_OVER: dict[str, Callable[[float, float], float]] = {
    "sum": lambda first, second: first + second,
    "highest": max,
    "lowest": min,
    "latest": max,
}


def collected(samples: Iterable[Sample]) -> Values:
    """The samples by family and labels; of equal ones the last."""
    values: Values = {}
    for name, labels, value in samples:
        values.setdefault(name, {})[labels] = value
    return values


def added(first: Values, second: Values, is_live: bool = True) -> Values:
    """Both together; if the process of `second` has ended, without its values that described a present state."""
    sums = {name: dict(samples) for name, samples in first.items()}
    for name, samples in second.items():
        family = TABLE[name]
        if is_live or family.outlives_its_process:
            for labels, value in samples.items():
                earlier = sums.setdefault(name, {}).get(labels)
                sums[name][labels] = value if earlier is None else _together(family, earlier, value)
    return sums


def to_json(values: Values) -> dict[str, list[tuple[Labels, Value]]]:
    """`values` as a JSON value."""
    return {name: list(samples.items()) for name, samples in values.items()}


def from_json(written: dict[str, list[tuple[list[str], Value]]]) -> Values:
    """The values that `to_json` wrote, without those that this release does not know."""
    return {
        name: {tuple(labels): value for labels, value in samples if _fits(TABLE[name], labels, value)}
        for name, samples in written.items()
        if name in TABLE
    }


def _fits(family: Family, labels: list[str], value: Value) -> bool:
    length = len(value) if isinstance(value, list) else None
    return len(labels) == len(family.labels) and length == (len(family.bounds) + 2 if family.bounds else None)


def _together(family: Family, first: Value, second: Value) -> Value:
    if isinstance(first, list) and isinstance(second, list):
        return [one + other for one, other in zip(first, second, strict=True)]
    if isinstance(first, list) or isinstance(second, list):
        raise TypeError(family.name)
    return _OVER[family.over](first, second)
