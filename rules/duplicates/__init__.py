"""The same service asked for twice."""
