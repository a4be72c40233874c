"""Tests of what we keep, on the embedded PostgreSQL and on Debian's."""
