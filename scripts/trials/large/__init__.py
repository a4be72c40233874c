"""A database as large as a busy service has, and the pages to ask it for."""
