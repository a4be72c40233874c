"""The large database."""
