"""Confirmations of a blowout, each a pure reading or an abstention, and the conviction that they add up to."""
