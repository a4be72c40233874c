"""Clients that OpenAPI Generator makes: the document that it reads, its options, and the program itself."""
