"""What is found out about a case by comparing: weights, promises, texts on freight, order marks, urgency."""
