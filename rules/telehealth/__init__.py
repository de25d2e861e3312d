"""Services by video and telephone."""
