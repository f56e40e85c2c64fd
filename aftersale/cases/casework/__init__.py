"""What people do about a case beside its intents, as part of the one writer: steps, contacts, promises, evidence."""
