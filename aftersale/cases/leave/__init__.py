"""When somebody leaves a shop."""
