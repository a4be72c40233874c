"""The frame of the pages for people: templates, assets, and who gets a page instead of what programs get."""
