"""Schemas that hubs write for the metadata of their event types."""
