"""Recordings: what arrived, how it is read and played."""
