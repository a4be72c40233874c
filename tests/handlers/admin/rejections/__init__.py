"""The pages of rejected submissions."""
