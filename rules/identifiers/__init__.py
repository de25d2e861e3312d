"""The numbers that name providers, members and products."""
