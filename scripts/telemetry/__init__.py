"""Telemetry: the traces and errors of the service that it sends elsewhere, if an operator wants it."""
