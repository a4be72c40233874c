"""The pages outside the API: health, contracts, problems, recovery, the migration and the authorization server."""
