"""Accounts: who a person is. What a person may do is decided in archive.access."""
