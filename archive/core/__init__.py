"""What every app of the archive builds on: commands, errors, the server."""
