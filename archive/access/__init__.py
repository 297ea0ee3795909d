"""Access: the only place that decides who may do what."""
