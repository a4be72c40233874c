"""What measures and fuzzes the service."""
