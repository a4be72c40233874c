"""Tests, in the same folders and under the same module names as the code, on real PostgreSQL and real sockets."""
