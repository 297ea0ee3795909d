"""The evidence package: all that there is about one recording, so that somebody else can check it without us."""
