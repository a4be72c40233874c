"""The metadata of the authorization server (RFC 8414) and of the resources that it protects (RFC 9728)."""

from collections.abc import Collection
from typing import Any

from openapi.oauth.dpop import ALGORITHMS as PROOF_ALGORITHMS
from openapi.oauth.jwt import ALGORITHMS
from openapi.oauth.token_requests import GRANT_TYPES

AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
"""The path of the resource follows (RFC 9728 section 3.1)."""
TOKEN, REVOKE, INTROSPECT, JWKS = "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/jwks"
METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def authorization_server(issuer: str, scopes: Collection[str]) -> dict[str, Any]:
    """The metadata of `issuer` (RFC 8414 section 2), which issues tokens with `scopes`."""
    endpoints = {"token_endpoint": TOKEN, "revocation_endpoint": REVOKE, "introspection_endpoint": INTROSPECT}
    authentication = {}
    for endpoint in endpoints:
        authentication[f"{endpoint}_auth_methods_supported"] = METHODS
        authentication[f"{endpoint}_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return {
        "issuer": issuer,
        **{name: issuer + path for name, path in endpoints.items()},
        "jwks_uri": issuer + JWKS,
        "scopes_supported": sorted(scopes),
        "response_types_supported": ["none"],  # required, and may not be empty; there is no authorization endpoint
        "grant_types_supported": [*GRANT_TYPES.values()],
        **authentication,
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }


def protected_resource(resource: str, issuers: Collection[str], scopes: Collection[str]) -> dict[str, Any]:
    """The metadata of `resource` (RFC 9728 section 2), which accepts tokens of `issuers`."""
    return {
        "resource": resource,
        "authorization_servers": list(issuers),
        "scopes_supported": sorted(scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": "Interaction Reporting API",
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }
