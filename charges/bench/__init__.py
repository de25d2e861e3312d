"""Measurements on this machine of what the project exists for."""
