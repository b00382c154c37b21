"""Channels beyond MQTT on which alerts reach a person."""
