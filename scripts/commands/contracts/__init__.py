"""The commands `interaction-reporting contract ...`."""
