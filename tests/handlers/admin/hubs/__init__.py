"""Tests of handlers/admin/hubs."""
