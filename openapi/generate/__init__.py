"""Code for clients, made from a document: types of its schemas, without a dependency."""
