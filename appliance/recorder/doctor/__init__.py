"""`plainsight doctor`: checks a box without opening its microphone."""
