"""Boxes and the rooms they stand in, and what each room's box says about itself."""
