"""The market model: indices, curve, surfaces, scenarios."""
