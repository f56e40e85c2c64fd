"""Our warehouse's JSON push: orders before they leave, parcels coming back, interceptions."""
