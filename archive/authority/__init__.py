"""The district's certificate authority: who may speak to the broker, and how the archive itself is known."""
