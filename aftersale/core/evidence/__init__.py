"""Checking evidence before it is sent: what is missing, what is invalid, what was filed twice."""
