"""Alerts that need more than one comparison: what all of them together mean, and timers told in days or ranks."""
