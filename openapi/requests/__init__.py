"""What a request carries: parameters, content codings, bodies and batches."""
