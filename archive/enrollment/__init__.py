"""Enrollment: one-time claims that make a box known, and its certificates."""
