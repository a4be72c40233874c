"""The commands `interaction-reporting generate ...`."""
