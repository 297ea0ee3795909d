"""A microphone for tests: an ALSA plugin that hears a raw file in real time, and the object that controls it."""
