"""A paper exchange with a market model, reachable in process and over the TWS socket protocol."""
