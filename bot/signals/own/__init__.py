"""The own volatility index of an option chain, for when the published one is missing."""
