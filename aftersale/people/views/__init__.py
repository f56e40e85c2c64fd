"""Saved views of the queue: an address with a name."""
