"""The conversation desk: quick replies, routing, selling, cards and robots, reviews."""
