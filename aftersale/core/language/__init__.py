"""The rules' own language: read (grammar) and spoken (wording)."""
