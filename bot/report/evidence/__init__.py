"""What the hedge was worth: no hedge, base sleeve, and base with overlay compared on one journal (M15)."""
