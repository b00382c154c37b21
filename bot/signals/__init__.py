"""Pure: from what the market shows to a signal."""
