"""The paths outside the API: they belong to no version of it."""

from openapi.serving.error_styles import PROBLEMS

HEALTH, METRICS = "/health", "/metrics"
CONTRACTS = "/contracts"
"""Lists the versions of the API."""
MIGRATION = "/migration"
"""Shows operators which hub uses which version."""
RECOVERY = "/recovery"
"""Shows clients whether the database was restored."""
OAUTH, WELL_KNOWN = "/oauth", "/.well-known"
BESIDE = (HEALTH, METRICS, CONTRACTS, MIGRATION, RECOVERY, PROBLEMS, OAUTH, WELL_KNOWN)
"""No version of the API is served at one of these paths, or below one."""
LISTED_VERSION = f"a version that {CONTRACTS} lists"
"""Stands for the successor of a version if it is unknown."""
