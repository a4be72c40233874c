"""Signing in to the admin by an issuer."""
