"""The hubs: who reports, with which keys and clients, and what an owner changes about it."""
