"""Restricted passages: fewer people hear them, until somebody decides."""
