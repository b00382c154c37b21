"""Misfortune on order: what can go wrong between a client and its broker, by name, at a moment or by chance."""
