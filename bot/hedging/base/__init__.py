"""Pure: the base sleeve of M4: what each layer should hold, what it holds, and the orders between the two."""
