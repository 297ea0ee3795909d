"""The custody log: an append-only, hash-chained list of everything that was done to a recording."""
