"""What a claim must have to be one: people, dates, counts, pointers, addresses."""
