"""What a running service consists of: its supervisor, its workers, their settings, logs and metrics."""
