"""Whose a charge is: the people a practice knows, and how a charge is matched with one of them or with nobody."""
