"""Returns: their steps, the time each took, and parcels that nobody announced."""
