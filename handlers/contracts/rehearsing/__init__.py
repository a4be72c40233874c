"""Rehearsals of contracts on what hubs have submitted, at once or as runs in the background."""
