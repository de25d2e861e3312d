"""The days that the price of a surgery includes."""
