"""How far VX forwards follow VIX and SPX, estimated from settlements and closes."""
