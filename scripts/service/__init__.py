"""The parts of a running service: its workers, their settings, logs and metrics."""
