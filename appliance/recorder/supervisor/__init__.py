"""The supervisor process: button, lights, and the state machine; no disk, no audio."""
