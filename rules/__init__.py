"""Coding rules: pure judgements of a charge, one module each, found by walking this package."""
