"""The metrics as text for Prometheus, in its format 0.0.4."""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from scripts.metrics.families import FAMILIES, PREFIX, Family
from scripts.metrics.values import Labels, Value, Values


def text(values: Values) -> bytes:
    """`values` in the order of the table; a counter without labels is there from the start."""
    registry = CollectorRegistry()
    registry.register(_Collector(values))
    return generate_latest(registry)


class _Collector:
    """The source of a registry of the client."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            at_first: dict[Labels, Value] = {(): 0.0} if family.kind == "counter" and not family.labels else {}
            samples = at_first | self._values.get(family.name, {})
            if samples:
                yield _formatted(family, samples)


def _formatted(family: Family, samples: Mapping[Labels, Value]) -> Metric:
    name, meaning = PREFIX + family.name, family.meaning + "."
    histogram = HistogramMetricFamily(name, meaning, labels=family.labels)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(name, meaning, labels=family.labels)
    for labels, value in sorted(samples.items(), key=lambda sample: sample[0]):
        if isinstance(value, list):
            *parts, total = value
            bounds = (*map(str, family.bounds), "+Inf")
            histogram.add_metric(labels, list(zip(bounds, accumulate(parts), strict=True)), total)
        else:
            metric.add_metric(labels, value)
    return histogram if family.kind == "histogram" else metric
