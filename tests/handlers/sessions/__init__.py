"""Signing in to pages."""
