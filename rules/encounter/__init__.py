"""The visit in the practice's own system."""
