"""Types and clients in programming languages."""
