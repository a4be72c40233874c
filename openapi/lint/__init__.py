"""Whether a contract is well made."""
