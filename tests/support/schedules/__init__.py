"""The state machine in a simulated world: schedules of events, and the invariants that hold after each."""
