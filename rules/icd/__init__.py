"""Conventions of ICD-10-CM."""
