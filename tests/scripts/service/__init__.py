"""Tests of scripts/service."""
