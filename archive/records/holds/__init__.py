"""Holds: what may not be destroyed, whoever asks, as long as a matter is open."""
