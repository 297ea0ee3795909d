"""The capture process: one microphone, one ring, nothing else."""
