"""The sandbox's TOP door: signatures, limits, error bodies, reads and writes."""
