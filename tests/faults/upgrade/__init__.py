"""The release before and this one side by side (P20, F41)."""
