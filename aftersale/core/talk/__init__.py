"""What is said to buyers and by them: scripts, checks of replies, promises, signs of escalation."""
