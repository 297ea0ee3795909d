"""Notices, meetings, the opening with its notes, and filing recordings under meetings."""
