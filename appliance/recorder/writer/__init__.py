"""The writer process: segments, ledger, read-back, and the spool."""
