"""Enrollment: how a new box becomes known to its archive. It runs as root, once, before recorder and courier."""
