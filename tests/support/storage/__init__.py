"""Disks that really fail under a whole recorder, and what is seen of it from outside."""
