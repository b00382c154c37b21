"""The independent watcher: what it hears, what it counts by itself, and whom it calls."""
