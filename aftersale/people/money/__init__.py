"""Money for those who answer for it: what left, against what limits, and whether the platform says the same."""
