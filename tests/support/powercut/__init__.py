"""A power cut, simulated: what a disk may hold after any call, and whether promise 3 holds on it."""
