"""Authentication and authorization: API keys, access tokens, clients, and the keys that sign and verify."""
