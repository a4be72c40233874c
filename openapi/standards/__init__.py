"""Formats and rules of HTTP, JSON and times, each as its standard has it."""
