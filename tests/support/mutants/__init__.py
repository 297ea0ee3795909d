"""Conditions broken one at a time, and whether a nearby test notices."""
