"""The box's ears: supervisor, capture and writer. It has no network (DESIGN, promise 4)."""
