"""Shared value types; imports nothing of ours."""
