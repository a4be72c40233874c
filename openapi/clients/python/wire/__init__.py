"""Requests and answers: connections, credentials, and the pauses between attempts."""
