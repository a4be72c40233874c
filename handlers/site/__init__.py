"""The pages beside the API: health, contracts, problems, the migration and the authorization server."""
