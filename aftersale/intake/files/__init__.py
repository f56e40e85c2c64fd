"""Merchants' exports, read row by row into `Arrival`s (`reading.read`)."""
