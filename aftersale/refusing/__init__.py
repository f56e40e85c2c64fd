"""Refusing an application: what has to be known before, and doing it; for the pages and the API alike."""
