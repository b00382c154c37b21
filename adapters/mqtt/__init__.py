"""The command channel over MQTT."""
