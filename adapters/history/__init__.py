"""Daily histories read from files."""
