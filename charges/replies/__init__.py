"""What replies mean: payments posted, refusals in words, what is overdue, and the proof of filing."""
