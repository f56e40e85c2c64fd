"""The agent's guide on the case page: next step, script, contacts, promises, hand-over."""
