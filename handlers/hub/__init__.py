"""The pages of one hub, which signs in with its key or its client: what became of what it sent."""
