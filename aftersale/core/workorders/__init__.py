"""Work orders between people: what comes first, who does the next step, what is followed up every day."""
