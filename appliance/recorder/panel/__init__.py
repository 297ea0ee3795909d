"""The front panel: real pins or the simulator's."""
