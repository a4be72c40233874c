"""Signing in to the admin by an issuer (OpenID Connect): who comes back from it, and which account is theirs."""
