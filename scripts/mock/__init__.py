"""The mock: the service itself on data that is thrown away, with faults to order, for tests of clients."""
