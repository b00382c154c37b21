"""One small frozen class per rule."""
