"""The parts of a request: parameters, content codings, bodies and batches."""
