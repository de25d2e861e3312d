"""Whether procedure, diagnosis and place codes can exist at all."""
