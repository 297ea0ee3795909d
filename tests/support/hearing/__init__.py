"""A test set for the judgment of the microphone: sounds of a room, microphones, their faults, and the trials."""
