"""Devices: enrolled boxes, their keys, and what they report over MQTT."""
