"""Incident records: what is missing of a meeting that a parent recorded, why, who was told, and what was done."""
