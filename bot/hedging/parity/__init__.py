"""Put-call parity of SPX and RUT options, watched and told, never traded."""
