"""The paths beside the API: what the service has at them belongs to no version of the API."""

from openapi.serving.error_styles import PROBLEMS

HEALTH, METRICS = "/health", "/metrics"
CONTRACTS = "/contracts"
"""Lists the versions of the API."""
MIGRATION = "/migration"
"""Shows operators which hub uses which version."""
OAUTH, WELL_KNOWN = "/oauth", "/.well-known"
BESIDE = (HEALTH, METRICS, CONTRACTS, MIGRATION, PROBLEMS, OAUTH, WELL_KNOWN)
"""No version of the API is served at one of these paths, or below one."""
LISTED_VERSION = f"a version that {CONTRACTS} lists"
"""Names the successor of a version where none is known."""
