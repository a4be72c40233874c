"""Tests of the client for TypeScript, run by Node.js against a service in the process of the test."""
