"""What is known of each practice's source: how far it was read, what it gave, and how much it may be asked."""
