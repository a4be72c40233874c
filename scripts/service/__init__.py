"""The parts of a running service: its supervisor, its workers, their settings, logs and metrics."""
