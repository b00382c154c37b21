"""The append-only, hash-chained journal on SQLite."""
