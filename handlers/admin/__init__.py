"""The pages of operators, for admins who are signed in."""
