"""The JSON Schema of OpenAPI 3.0: validation, and containment: whether a schema accepts all values of another."""
