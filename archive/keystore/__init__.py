"""The archive's own keys."""
