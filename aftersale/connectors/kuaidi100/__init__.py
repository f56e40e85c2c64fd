"""Kuaidi100: parcel traces pushed to us, and the call that stops a parcel."""
