"""Supervision: the processes of a service, how they start and end, and what they share."""
