"""The operations of the contracts: one small function for each."""
