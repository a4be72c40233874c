"""The pages of the Type Registry."""
