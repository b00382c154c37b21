"""The outside world behind the ports: broker, journal, MQTT, clock, files."""
