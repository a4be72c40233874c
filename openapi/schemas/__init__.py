"""JSON Schema as OpenAPI 3.0 has it: validation, and whether one schema accepts all that another accepts."""
