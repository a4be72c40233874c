"""The pages outside the API: health, contracts, recovery, the migration and the authorization server."""
