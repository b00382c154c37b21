"""From the journal to a page: what happened, what it cost, and what it looked like."""
