"""Accounts of hubs, of their clients, and of admins; and which version each hub uses."""
