"""The pages outside the API: health, contracts, problems, the migration and the authorization server."""
