"""Who may send a request: API keys, access tokens, clients, and the keys that sign and verify."""
