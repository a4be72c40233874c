"""Tests of the tables and queries, on the embedded PostgreSQL and on Debian's."""
