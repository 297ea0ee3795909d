"""`plainsight-archive setup`: an archive on this host, in one command. It runs before there are settings to read."""
