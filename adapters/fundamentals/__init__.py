"""Rates and company figures from files: FRED series, SEC company facts, and the operator's own tables."""
