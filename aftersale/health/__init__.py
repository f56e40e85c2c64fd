"""Seeing: is everything alive, does anything wait too long, what is to be done about it (P10, P29)."""
