"""A front panel, a microphone and a whole district, for trying and testing without hardware."""
