"""OAuth 2.0: token requests, tokens, keys, and server metadata."""
