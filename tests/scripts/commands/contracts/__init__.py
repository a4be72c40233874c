"""Tests of scripts/commands/contracts."""
