"""Sends recordings to the archive and fetches its receipts."""
