"""Ambulance transports."""
