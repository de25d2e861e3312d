"""Drugs and vaccines."""
