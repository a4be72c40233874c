"""Types of the answers of each major version, made from its newest document; `scripts/check` compares them."""
