"""Judging what arrived, sealing it into one package, signing receipts, and listening to what is sealed."""
