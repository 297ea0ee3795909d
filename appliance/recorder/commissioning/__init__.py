"""Commissioning: an installer tries the lights, button and microphone of a box, which keeps a signed record."""
