"""The broker's own wire, server side."""
