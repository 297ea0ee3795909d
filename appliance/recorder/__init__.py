"""The box's ears: supervisor, capture and writer. It has no network (README, promise 4)."""
