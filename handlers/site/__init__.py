"""What the service answers beside the API: health, contracts, problems, the migration and the authorization server."""
