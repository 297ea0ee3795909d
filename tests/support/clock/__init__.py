"""A wall clock that a test steps under a real process tree; CLOCK_MONOTONIC, and with it every sleep, stays true."""
