"""Modifiers that do not fit their code or each other."""
