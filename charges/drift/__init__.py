"""What a source's records are made of, watched: a vendor's change stops before it is billed."""
