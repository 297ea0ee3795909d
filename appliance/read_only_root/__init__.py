"""A box whose root cannot be written: what is kept stands on a data partition of its own."""
