"""Whose charge it is."""
