"""Real recorders whose processes are killed, and what is found afterwards."""
