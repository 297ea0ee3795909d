"""A test set for the detection of microphone faults: sounds of a room, microphones, their faults, and the trials."""
