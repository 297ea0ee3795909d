"""One box for tests: its folders and keys, each of its processes real or faked, and the whole of it."""
