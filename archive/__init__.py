"""The archive: a Django project that takes in, seals and keeps what boxes recorded, and writes down who touched it."""
