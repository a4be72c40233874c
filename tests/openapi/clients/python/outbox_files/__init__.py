"""Tests of the outbox, against a service in the process and with programs that end, fork and share a file."""
