"""Pure: from a snapshot and a signal to a hedge plan."""
