"""Whether a payer finds a service needed: its coverage policies and how often they allow it."""
