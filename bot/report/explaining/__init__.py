"""One decision in words: a module for each part, from the journal's rows alone."""
