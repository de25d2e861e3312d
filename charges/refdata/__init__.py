"""Fetching published tables from their authorities."""
