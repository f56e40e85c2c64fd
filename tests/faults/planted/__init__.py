"""Bugs planted on purpose: what the simulation must notice, or it proves nothing (P27)."""
