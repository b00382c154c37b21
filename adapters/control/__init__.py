"""What MQTT and the local paths share: envelope, keys, verifier, latch, guard thread."""
