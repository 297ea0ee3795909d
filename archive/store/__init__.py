"""Where bytes lie: segments on their way in, sealed packages, and the recordings' own keys."""
