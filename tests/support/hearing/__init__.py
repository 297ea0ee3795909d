"""A test set for the judgement of the microphone: sounds of a room, microphones, their faults, and the trials."""
