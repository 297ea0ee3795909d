"""Commissioning: an installer and the box try lights, button and microphone, and keep a signed record of it."""
