"""Tests of scripts/commands."""
