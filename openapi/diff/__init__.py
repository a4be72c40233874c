"""Two OpenAPI documents compared by meaning: what changed, whether it breaks, and a request that proves it."""
