"""What becomes of an order between its acceptance and its end: prices, triggers, times, groups, algorithms."""
