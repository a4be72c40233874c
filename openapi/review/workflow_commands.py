"""A review as workflow commands of GitHub Actions, which annotate a pull request."""

from openapi.diff.reports.annotations import annotations, command
from openapi.review.review import Review


def workflow_commands(review: Review) -> str:
    """A line for each fault and each finding, and one for each thing that has to be done."""
    faults = [
        command(fault.finding.severity, fault.finding.message, f"lint {fault.finding.rule}", fault.position)
        for fault in review.faults
    ]
    to_do = [command("error", reason, "contract review") for reason in review.reasons]
    return "".join(f"{line}\n" for line in (*to_do, *faults)) + annotations(review.report)
