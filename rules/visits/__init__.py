"""Visits beside other services of the same day."""
