"""What a shop has set: people and their rights, thresholds, hours, scripts, connections."""
