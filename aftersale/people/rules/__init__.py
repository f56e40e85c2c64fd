"""`/rules`: what decides, how it did, and how people change it."""
