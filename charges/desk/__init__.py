"""What people need to work through the review queue: to look, to share the work, to correct, to decide on many."""
