"""OAuth 2.0: requests for tokens, the tokens themselves, keys, and what clients learn of the server."""
