"""One small class per rule of the gate."""
