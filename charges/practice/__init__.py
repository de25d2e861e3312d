"""The practice profile: what no source gives and a claim cannot do without."""
