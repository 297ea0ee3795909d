"""The keeper: the only place that holds the archive's opening key and signing key."""
