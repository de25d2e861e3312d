"""The National Correct Coding Initiative: what is part of what, how often, and what cannot stand alone."""
