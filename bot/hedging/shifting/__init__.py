"""Pure: which settlement a purchase goes to, and how scheduled releases shift it."""
