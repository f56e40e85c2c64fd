"""What narrows a list, as its page offers it."""
