"""Code for clients, made from documents."""
