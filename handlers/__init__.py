"""What we do: one small function for each operation, named by the operationId of the contract."""
