"""Pure: the figures of the condor book: break-evens, credit from executions, and wings (M8)."""
