"""How a rulebook becomes the one that decides: edited, checked, approved, tried, published, taken back."""
