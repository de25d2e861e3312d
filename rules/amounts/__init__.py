"""Charges and units."""
