"""After billing: what changed at the source after its claim left, and what people decide about it."""
