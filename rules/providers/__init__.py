"""Who referred, ordered and rendered."""
