"""The table of all metrics. A metric that is not in it cannot be exposed."""

from dataclasses import dataclass
from typing import Literal

from db.histograms import ROWS, SECONDS

PREFIX = "interaction_reporting_"
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name without prefix and without `_total`, its labels, and what an operator does about it.

    `over` says how the values of workers become one; `latest` is a time, which stays when its worker ends.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    action: str
    over: Literal["sum", "highest", "lowest", "latest"] = "sum"
    bounds: tuple[float, ...] = ()

    @property
    def outlives_its_process(self) -> bool:
        """True for what was counted, False for what describes the present."""
        return self.kind != "gauge" or self.over == "latest"

    @property
    def full_name(self) -> str:
        """The name that Prometheus shows; of a histogram, the part before `_bucket`, `_sum` and `_count`."""
        return PREFIX + self.name + ("_total" if self.kind == "counter" else "")


def counter(name: str, labels: str, meaning: str, action: str) -> Family:
    """A number of occurrences since the start of the service, over all workers."""
    return Family(name, "counter", tuple(labels.split()), meaning, action)


def gauge(
    name: str,
    labels: str,
    meaning: str,
    action: str,
    over: Literal["sum", "highest", "lowest", "latest"] = "sum",
) -> Family:
    """A present value over the workers that live."""
    return Family(name, "gauge", tuple(labels.split()), meaning, action, over)


def histogram(name: str, labels: str, bounds: tuple[float, ...], meaning: str, action: str) -> Family:
    """The distribution of values since the start of the service, over all workers."""
    return Family(name, "histogram", tuple(labels.split()), meaning, action, bounds=bounds)


FAMILIES = (
    counter(
        "requests",
        "version method operation status",
        "Requests that ended",
        "5xx: read the log by `status`; status `none`: clients disconnect before an answer",
    ),
    histogram(
        "request_duration_seconds",
        "version operation",
        REQUEST_SECONDS,
        "Seconds from the start of a request to its end",
        "compare with the wait in the queue and with the commit",
    ),
    counter(
        "problems",
        "code",
        "Requests that were answered with a problem, by its code",
        "look the code up at `/problems`",
    ),
    counter(
        "items",
        "kind outcome",
        "Items of requests, by outcome",
        "many `rejected`: see `rejections`; `throttled`: raise the hub's rate or ask it to slow down",
    ),
    counter(
        "rejections",
        "kind code",
        "Items that were rejected or throttled, by the code of the problem",
        "look the code up at `/problems`; a sudden rise names a hub's release or an unregistered name",
    ),
    gauge(
        "contract_info",
        "version digest",
        "1 for each contract that this worker serves",
        "digests that differ between replicas for minutes: compare releases",
        "highest",
    ),
    gauge(
        "contract_row_refused",
        "version",
        "1 for each contract row that should be served but cannot be",
        "`contract status` gives the reason; roll back or upgrade",
        "highest",
    ),
    gauge(
        "write_queue_rows",
        "kind",
        "Rows that wait to be written or are being written",
        "rising: the database is slow or away; see `commit_seconds`, `database_away_seconds`",
    ),
    gauge(
        "write_queue_bytes",
        "kind",
        "Bytes of the rows that wait for a batch; at 32 MiB a worker refuses rows with 503",
        "as of `write_queue_rows`; hubs send again after a 503",
    ),
    histogram(
        "write_wait_seconds",
        "kind",
        SECONDS,
        "Seconds that rows waited before they were sent to the database",
        "above `commit_seconds`: the database takes less than arrives",
    ),
    histogram(
        "write_batch_rows",
        "kind",
        ROWS,
        "Rows of a commit",
        "near 1,000 all the time: writing is the limit",
    ),
    histogram(
        "commit_seconds",
        "kind",
        SECONDS,
        "Seconds from sending rows until they are on disk",
        "high: look at disk and locks of PostgreSQL",
    ),
    counter(
        "write_errors",
        "kind sqlstate_class",
        "Writes that failed, by the first two characters of SQLSTATE; `connection`: the database was lost",
        "`53`: no disk or memory; `25`: a standby; `23`: a partition is missing; `42`: tables were changed",
    ),
    gauge(
        "database_away_seconds",
        "",
        "Seconds since rows could last be written; 0 while they can be",
        "above 2, rows are refused with 503: bring PostgreSQL back",
        "highest",
    ),
    gauge(
        "registry_age_seconds",
        "",
        "Seconds since hubs, widgets and event types were last read or confirmed",
        "above 0.9, requests wait for the database",
        "highest",
    ),
    gauge(
        "database_connections",
        "state",
        "Connections of the pools of workers: `in_use`, `size`; `waiting`: calls that wait for one",
        "`waiting` above 0 for long: raise `IR_CONNECTIONS`, or find the slow query",
    ),
    gauge(
        "partitions_ahead_seconds",
        "table",
        "Seconds from now for which partitions exist without a gap",
        "below 1,814,400 (three weeks): the upkeep fails, and the log says why; at 0 rows are refused",
        "lowest",
    ),
    gauge(
        "upkeep_last_success_timestamp_seconds",
        "step",
        "When each step of the upkeep last succeeded, in seconds since 1970",
        "older than three hours: the log says why",
        "latest",
    ),
    counter(
        "worker_restarts",
        "",
        "Workers that ended unasked and were started again",
        "any: look for a kill (memory) or a fault in the log",
    ),
    gauge("connections", "", "Open connections of clients", "near the limit of file descriptors: raise it"),
    histogram(
        "event_loop_lag_seconds",
        "",
        SECONDS,
        "Seconds by which a timer of a worker was late",
        "above 0.05 often: the worker lacks CPU; raise `IR_WORKERS`",
    ),
    gauge(
        "signing_key_age_seconds",
        "",
        "Age of the key in the database that signs access tokens; absent without one",
        "rotate it when your rules say so",
        "highest",
    ),
    gauge(
        "revoked_tokens",
        "",
        "Access tokens that are revoked and have not expired",
        "each worker keeps them in memory",
        "highest",
    ),
    counter(
        "log_lines_dropped", "", "Lines of the log that were lost", "free the disk, or let the log's reader catch up"
    ),
    gauge("process_resident_memory_bytes", "worker", "Resident memory of a worker", "rising for days: restart, report"),
    counter("process_cpu_seconds", "worker", "CPU time of a worker", "near 1 s per second: raise `IR_WORKERS`"),
    gauge("process_open_fds", "worker", "Open file descriptors of a worker", "near `process_max_fds`: raise the limit"),
    gauge("process_max_fds", "worker", "Limit on the open file descriptors of a worker", "set `LimitNOFILE`"),
    gauge(
        "process_start_time_seconds",
        "worker",
        "When a worker started, in seconds since 1970",
        "recent without a deployment: see `worker_restarts`",
    ),
)
TABLE = {family.name: family for family in FAMILIES}
