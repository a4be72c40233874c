"""The pages for integrators: what the service is, what its contracts promise, and what a refusal means."""
