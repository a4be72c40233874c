"""Benchmarks and fuzzing of the service."""
