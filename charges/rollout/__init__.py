"""The roll-out of a practice: where it stands, what that lets out, and the acts that bring it on or back."""
