"""Refunds in bulk: by which route, up to which limit, how many a day, which parcels to look at."""
