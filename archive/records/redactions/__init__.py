"""Redacted copies: passages are silent or toned, every other sample is the original's, and a second person listens."""
