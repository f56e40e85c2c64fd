"""Parcels that came back: finding whose they are, keeping what was in them, telling the record."""
