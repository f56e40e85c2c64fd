"""What the days bring: a promotion drawn from the seed, or a real order report replayed."""
