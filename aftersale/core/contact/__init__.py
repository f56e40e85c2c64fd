"""Contacting buyers: in which order of channels, at what time of the day, over the cap, and until when."""
