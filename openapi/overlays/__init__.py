"""OpenAPI Overlay 1.0: a document made from another one by a list of actions."""
