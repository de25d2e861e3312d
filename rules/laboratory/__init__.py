"""The practice's own laboratory, and what it sends away."""
