"""复核: what waits for a second person, and what the platform wants a person for."""
