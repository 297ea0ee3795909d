"""`plainsight-archive doctor`: what is wrong with an archive and what to do, from looking at it."""
