"""Tests of the clients that OpenAPI Generator makes."""
