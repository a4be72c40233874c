"""Metrics: the table of all of them, the files in which processes share their counts, and the text for Prometheus."""
