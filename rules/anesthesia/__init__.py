"""Anesthesia."""
