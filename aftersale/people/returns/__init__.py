"""The warehouse's page: scan a parcel, say what was in it, go on."""
