"""The command lines of the recorder."""
